#pragma once

// Replaces the global operators new and delete by ones that count: to be included by one source of a program.

#include <cstdlib>
#include <new>

#include <malloc.h>

#include "tests/support/heap_peak.hpp"

[[gnu::noinline]] void* operator new(std::size_t size) {
  void* place = std::malloc(size);
  if (place == nullptr) throw std::bad_alloc();
  souk::heap::grow(malloc_usable_size(place));
  return place;
}

[[gnu::noinline]] void operator delete(void* place) noexcept {
  if (place != nullptr) souk::heap::now.fetch_sub(malloc_usable_size(place));
  std::free(place);
}

[[gnu::noinline]] void operator delete(void* place, std::size_t) noexcept { ::operator delete(place); }

#pragma once

// Replaces the global operators new and delete by ones that count: to be included by one source of a program.

#include <cstdlib>
#include <new>

#include <malloc.h>

#include "tests/support/heap_peak.hpp"

[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  void* place = std::malloc(size);
  if (place != nullptr) souk::heap::grow(malloc_usable_size(place));
  return place;
}

[[gnu::noinline]] void* operator new(std::size_t size) {
  void* place = ::operator new(size, std::nothrow);
  if (place == nullptr) throw std::bad_alloc();
  return place;
}

void* operator new[](std::size_t size) { return ::operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return ::operator new(size, std::nothrow); }

[[gnu::noinline]] void operator delete(void* place) noexcept {
  if (place != nullptr) souk::heap::now.fetch_sub(malloc_usable_size(place));
  std::free(place);
}

void operator delete(void* place, std::size_t) noexcept { ::operator delete(place); }
void operator delete(void* place, const std::nothrow_t&) noexcept { ::operator delete(place); }
void operator delete[](void* place) noexcept { ::operator delete(place); }
void operator delete[](void* place, std::size_t) noexcept { ::operator delete(place); }
void operator delete[](void* place, const std::nothrow_t&) noexcept { ::operator delete(place); }

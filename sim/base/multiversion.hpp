#pragma once

/// On a function with a hot, vectorisable loop: compiles it for the baseline, AVX2 and AVX-512, and picks at load time.
/// x86-64-v3 (AVX2, FMA) and v4 (AVX-512) are sets of features; naming a processor instead would leave out all others
/// that have them. Without reordering of floating-point sums (we never allow it) all versions give the same bits.
/// Sanitizers cannot run before the loader's choice, so they get the baseline alone.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define SOUK_MULTIVERSION __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define SOUK_MULTIVERSION
#endif

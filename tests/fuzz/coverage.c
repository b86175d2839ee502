/* Tells libFuzzer which blocks of the instrumented extensions ran.
 *
 * gcc writes a call of __sanitizer_cov_trace_pc into every block and of __sanitizer_cov_trace_*cmp* before every
 * comparison (-fsanitize-coverage=trace-pc,trace-cmp). libFuzzer, inside of atheris, counts what clang's own forms say
 * and passes over the first of these. So this library, loaded before everything else, counts blocks in a table of its
 * own, which `cov_start` shows to libFuzzer, and hands comparisons on. Blocks share a place when their addresses do.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define PLACES (1 << 17)

static uint8_t counters[PLACES];
static struct { uintptr_t pc, flags; } places[PLACES];

static void (*cmp1)(uint8_t, uint8_t);
static void (*cmp2)(uint16_t, uint16_t);
static void (*cmp4)(uint32_t, uint32_t);
static void (*cmp8)(uint64_t, uint64_t);
static void (*const_cmp1)(uint8_t, uint8_t);
static void (*const_cmp2)(uint16_t, uint16_t);
static void (*const_cmp4)(uint32_t, uint32_t);
static void (*const_cmp8)(uint64_t, uint64_t);

/* libFuzzer remembers a comparison by its caller, so every function here ends in a jump to its own. */
void __sanitizer_cov_trace_pc(void) {
    counters[(uintptr_t) __builtin_return_address(0) * 0x9E3779B97F4A7C15u >> 47] += 1;
}
void __sanitizer_cov_trace_cmp1(uint8_t a, uint8_t b) { if (cmp1) cmp1(a, b); }
void __sanitizer_cov_trace_cmp2(uint16_t a, uint16_t b) { if (cmp2) cmp2(a, b); }
void __sanitizer_cov_trace_cmp4(uint32_t a, uint32_t b) { if (cmp4) cmp4(a, b); }
void __sanitizer_cov_trace_cmp8(uint64_t a, uint64_t b) { if (cmp8) cmp8(a, b); }
void __sanitizer_cov_trace_const_cmp1(uint8_t a, uint8_t b) { if (const_cmp1) const_cmp1(a, b); }
void __sanitizer_cov_trace_const_cmp2(uint16_t a, uint16_t b) { if (const_cmp2) const_cmp2(a, b); }
void __sanitizer_cov_trace_const_cmp4(uint32_t a, uint32_t b) { if (const_cmp4) const_cmp4(a, b); }
void __sanitizer_cov_trace_const_cmp8(uint64_t a, uint64_t b) { if (const_cmp8) const_cmp8(a, b); }
void __sanitizer_cov_trace_cmpf(float a, float b) { (void) a; (void) b; }
void __sanitizer_cov_trace_cmpd(double a, double b) { (void) a; (void) b; }
void __sanitizer_cov_trace_switch(uint64_t value, uint64_t *cases) { (void) value; (void) cases; }

/* Show the table to the libFuzzer in the library at `path`, which is loaded already. 0, or -1 where there is none. */
int cov_start(const char *path) {
    void *fuzzer = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    void (*take_counters)(uint8_t *, uint8_t *);
    void (*take_places)(void *, void *);
    if (!fuzzer)
        return -1;
    take_counters = (void (*)(uint8_t *, uint8_t *)) dlsym(fuzzer, "__sanitizer_cov_8bit_counters_init");
    take_places = (void (*)(void *, void *)) dlsym(fuzzer, "__sanitizer_cov_pcs_init");
    if (!take_counters || !take_places)
        return -1;
    for (uintptr_t i = 0; i < PLACES; i++)
        places[i].pc = i + 1;
    take_counters(counters, counters + PLACES);
    take_places(places, places + PLACES);
    cmp1 = (void (*)(uint8_t, uint8_t)) dlsym(fuzzer, "__sanitizer_cov_trace_cmp1");
    cmp2 = (void (*)(uint16_t, uint16_t)) dlsym(fuzzer, "__sanitizer_cov_trace_cmp2");
    cmp4 = (void (*)(uint32_t, uint32_t)) dlsym(fuzzer, "__sanitizer_cov_trace_cmp4");
    cmp8 = (void (*)(uint64_t, uint64_t)) dlsym(fuzzer, "__sanitizer_cov_trace_cmp8");
    const_cmp1 = (void (*)(uint8_t, uint8_t)) dlsym(fuzzer, "__sanitizer_cov_trace_const_cmp1");
    const_cmp2 = (void (*)(uint16_t, uint16_t)) dlsym(fuzzer, "__sanitizer_cov_trace_const_cmp2");
    const_cmp4 = (void (*)(uint32_t, uint32_t)) dlsym(fuzzer, "__sanitizer_cov_trace_const_cmp4");
    const_cmp8 = (void (*)(uint64_t, uint64_t)) dlsym(fuzzer, "__sanitizer_cov_trace_const_cmp8");
    return 0;
}

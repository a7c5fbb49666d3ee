# cmake -DPTX=FILE -P exact_ptx.cmake: fails unless all float32 arithmetic in FILE is IEEE addition, subtraction,
# multiplication and square root, rounded to nearest: nothing fused, flushed or approximate.
file(READ ${PTX} text)
string(REGEX MATCHALL "[\n\t ](add|sub|mul|fma|mad|div|rcp|sqrt|rsqrt|sin|cos|lg2|ex2|tanh)\\.[a-z.]*f32[ \t]" operations "${text}")
list(TRANSFORM operations STRIP)
list(LENGTH operations count)
list(REMOVE_DUPLICATES operations)
list(SORT operations)
message(STATUS "${count} operations: ${operations}")
if(NOT operations STREQUAL "add.rn.f32;mul.rn.f32;sqrt.rn.f32;sub.rn.f32")
  message(FATAL_ERROR "${PTX}: expected add.rn, sub.rn, mul.rn and sqrt.rn alone (is -fmad=false set?)")
endif()

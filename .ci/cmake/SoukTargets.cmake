# One OBJECT library per folder, so that plug-ins that nothing refers to are linked all the same.

add_library(souk_options INTERFACE)
target_compile_features(souk_options INTERFACE cxx_std_20)
target_compile_options(souk_options INTERFACE -ffp-contract=off -fno-math-errno)
if(SOUK_SANITIZE)
  # What is tested is under both; the assertions about it and generated code (targets with the property
  # souk_addresses_alone) under that of addresses: to look for undefined behaviour of theirs would take a third of the time of
  # compiling them. That one is added where it is wanted and not taken away elsewhere: the options of a target stand before
  # these and would have no effect.
  set(undefined -fsanitize=undefined -fno-sanitize-recover=undefined)
  target_compile_options(souk_options INTERFACE -fsanitize=address -fno-omit-frame-pointer
                                                "$<$<NOT:$<BOOL:$<TARGET_PROPERTY:souk_addresses_alone>>>:${undefined}>")
  target_link_options(souk_options INTERFACE -fsanitize=address,undefined)
endif()
target_include_directories(souk_options INTERFACE ${PROJECT_SOURCE_DIR})
target_include_directories(souk_options SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/generated)

add_library(souk_warnings INTERFACE)
# g++ 12 sees overflows inside inlined strings and buffers that are not there (GCC bugs 105329, 105651 and kin).
target_compile_options(souk_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow=local -Wconversion -Wno-stringop-overflow
                                               -Wno-restrict -Wno-array-bounds -Wno-stringop-overread)
if(SOUK_WERROR)
  target_compile_options(souk_warnings INTERFACE -Werror)
endif()

set_property(GLOBAL PROPERTY souk_modules "")

# souk_kernels(TARGET): what most of the time is spent in. It is optimised where sanitizers leave the rest as it is: they
# double the time of compiling with optimisation, and tests of anything but kernels do not get faster by it.
function(souk_kernels target)
  if(SOUK_SANITIZE)
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()

# souk_cold(TARGET): what little time is spent in. Half of the time of compiling it would go into making it faster.
function(souk_cold target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

# souk_sources(OUT PATTERN FOLDERS): files of these folders, of this one where none is named.
function(souk_sources out pattern folders)
  if(NOT folders)
    set(folders .)
  endif()
  set(sources "")
  foreach(folder IN LISTS folders)
    file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/${pattern})
    list(APPEND sources ${found})
  endforeach()
  set(${out} "${sources}" PARENT_SCOPE)
endfunction()

# souk_alone(SOURCES): the presets compile several files as one, which reads the headers that they share once. What Highway
# compiles once per instruction set, by including it again, is compiled alone.
function(souk_alone sources)
  foreach(source IN LISTS sources)
    file(STRINGS ${source} again REGEX "define HWY_TARGET_INCLUDE" LIMIT_COUNT 1)
    if(again)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
endfunction()

# souk_module(NAME [LIBRARIES …] [FOLDERS …]): every .cpp of this folder but *.torch.cpp and *.python.cpp.
# souk_torch_module(NAME [LIBRARIES …] [FOLDERS …]): their *.torch.cpp (torch/torch.h costs 26 s and is not needed;
# ATen/core/Tensor.h and the operators that a file uses, 6 s).
function(souk_module name)
  cmake_parse_arguments(arg "" "" "LIBRARIES;FOLDERS" ${ARGN})
  souk_sources(sources *.cpp "${arg_FOLDERS}")
  list(FILTER sources EXCLUDE REGEX "\\.(torch|python)\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    return()
  endif()
  souk_alone("${sources}")
  add_library(${name} OBJECT ${sources})
  target_link_libraries(${name} PUBLIC souk_options fmt::fmt ${arg_LIBRARIES} PRIVATE souk_warnings)
  add_dependencies(${name} souk_schema)
  set_property(GLOBAL APPEND PROPERTY souk_modules ${name})
endfunction()

function(souk_torch_module name)
  cmake_parse_arguments(arg "" "" "LIBRARIES;FOLDERS" ${ARGN})
  souk_sources(sources *.torch.cpp "${arg_FOLDERS}")
  if(NOT sources)
    return()
  endif()
  add_library(${name} OBJECT ${sources})
  target_link_libraries(${name} PUBLIC souk_options souk_torch fmt::fmt ${arg_LIBRARIES} PRIVATE souk_warnings)
  add_dependencies(${name} souk_schema)
  set_property(GLOBAL APPEND PROPERTY souk_modules ${name})
endfunction()

# souk_python_module(NAME [LIBRARIES …]): the *.python.cpp of this folder. Its types stay inside, as pybind11's are.
function(souk_python_module name)
  cmake_parse_arguments(arg "" "" "LIBRARIES" ${ARGN})
  souk_sources(sources *.python.cpp "")
  add_library(${name} OBJECT ${sources})
  target_include_directories(${name} SYSTEM PRIVATE ${SOUK_PYBIND11_INCLUDE})
  target_link_libraries(${name} PUBLIC souk_options fmt::fmt Python3::Python ${arg_LIBRARIES} PRIVATE souk_warnings)
  set_target_properties(${name} PROPERTIES CXX_VISIBILITY_PRESET hidden)
  set_property(GLOBAL APPEND PROPERTY souk_modules ${name})
endfunction()

# Links every module, and with them every library they need, into an executable.
function(souk_link_everything target)
  get_property(modules GLOBAL PROPERTY souk_modules)
  target_link_libraries(${target} PRIVATE ${modules} souk_schema)
endfunction()

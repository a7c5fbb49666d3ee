# omnisync::torch: libtorch_cpu and libc10 of the unpacked torch 2.11 wheel, and nothing else of it.
#
# The wheel's own TorchConfig.cmake asks for the CUDA toolkit and links all of torch, so this makes its own target.
# The folder that holds torch's lib/ and include/ is looked for in this order: OMNISYNC_TORCH_DIR (cache, then
# environment), the prefix of tools/bootstrap (OMNISYNC_PREFIX, else its default), an installed Python torch.
include_guard(GLOBAL)

option(OMNISYNC_TORCH "Build the core library, which needs LibTorch 2.11" ON)
set(OMNISYNC_TORCH_DIR "" CACHE PATH "Folder of torch 2.11 (with lib/ and include/); empty: look for it")
set(OMNISYNC_TORCH_VERSION 2.11.0)
set(OMNISYNC_HAVE_TORCH OFF)

# Sets `out` to the version of the torch in `dir`, or to nothing when there is none.
function(omnisync_torch_version dir out)
  set(${out} "" PARENT_SCOPE)
  if(NOT EXISTS ${dir}/lib/libtorch_cpu.so OR NOT EXISTS ${dir}/lib/libc10.so)
    return()
  endif()
  foreach(header include/torch/headeronly/version.h include/torch/csrc/api/include/torch/version.h)
    if(EXISTS ${dir}/${header})
      file(READ ${dir}/${header} text)
      if(text MATCHES "define TORCH_VERSION[ \\\\\r\n]+\"([0-9]+\\.[0-9]+\\.[0-9]+)")
        set(${out} ${CMAKE_MATCH_1} PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()

# Sets `out` to the first usable folder, or to nothing.
function(omnisync_find_torch out)
  if(OMNISYNC_TORCH_DIR)
    set(named ${OMNISYNC_TORCH_DIR})
  elseif(DEFINED ENV{OMNISYNC_TORCH_DIR})
    set(named $ENV{OMNISYNC_TORCH_DIR})
  endif()
  if(named)
    omnisync_torch_version(${named} version)
    if(NOT version MATCHES "^2\\.11\\.")
      message(FATAL_ERROR "OMNISYNC_TORCH_DIR=${named} holds no torch 2.11 (found: '${version}'). "
                          "It must be the folder with torch's lib/ and include/.")
    endif()
    set(${out} ${named} PARENT_SCOPE)
    return()
  endif()

  if(DEFINED ENV{OMNISYNC_PREFIX})
    set(prefix $ENV{OMNISYNC_PREFIX})
  elseif(DEFINED ENV{XDG_DATA_HOME})
    set(prefix $ENV{XDG_DATA_HOME}/omnisync)
  else()
    set(prefix $ENV{HOME}/.local/share/omnisync)
  endif()
  set(candidates ${prefix}/torch-${OMNISYNC_TORCH_VERSION}/torch)
  find_program(OMNISYNC_PYTHON3 python3)
  if(OMNISYNC_PYTHON3)
    # find_spec does not import torch, which would take seconds.
    execute_process(COMMAND ${OMNISYNC_PYTHON3} -c
      "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
      OUTPUT_VARIABLE installed OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    list(APPEND candidates ${installed})
  endif()
  foreach(candidate ${candidates})
    omnisync_torch_version(${candidate} version)
    if(version MATCHES "^2\\.11\\.")
      set(${out} ${candidate} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${out} "" PARENT_SCOPE)
endfunction()

if(NOT OMNISYNC_TORCH)
  message(STATUS "LibTorch: off (OMNISYNC_TORCH=OFF); the core library is not built")
  return()
endif()

omnisync_find_torch(torch_dir)
if(NOT torch_dir)
  message(FATAL_ERROR "LibTorch 2.11 was not found. Run tools/bootstrap (it fetches it once), name its folder with "
                      "-DOMNISYNC_TORCH_DIR=DIR, or build the media path alone with -DOMNISYNC_TORCH=OFF.")
endif()
message(STATUS "LibTorch: ${torch_dir}")

add_library(omnisync_c10 SHARED IMPORTED GLOBAL)
set_target_properties(omnisync_c10 PROPERTIES IMPORTED_LOCATION ${torch_dir}/lib/libc10.so)
add_library(omnisync_torch_cpu SHARED IMPORTED GLOBAL)
set_target_properties(omnisync_torch_cpu PROPERTIES IMPORTED_LOCATION ${torch_dir}/lib/libtorch_cpu.so)

add_library(omnisync_torch INTERFACE)
add_library(omnisync::torch ALIAS omnisync_torch)
target_link_libraries(omnisync_torch INTERFACE omnisync_torch_cpu omnisync_c10)
target_include_directories(omnisync_torch SYSTEM INTERFACE
  ${torch_dir}/include ${torch_dir}/include/torch/csrc/api/include)
target_compile_definitions(omnisync_torch INTERFACE
  AT_PER_OPERATOR_HEADERS
  _GLIBCXX_USE_CXX11_ABI=1)  # how torch's manylinux_2_28 wheels are built

# at::parallel_for is a template that is parallel only where the calling file is compiled with OpenMP, so all must be. At
# run time there is one libgomp, LibTorch's; naming the compiler's to CMake would put a second folder into run paths.
target_compile_options(omnisync_torch INTERFACE -fopenmp)
target_link_options(omnisync_torch INTERFACE -fopenmp)

# What libtorch_cpu itself loads: the CUDA runtime and CUPTI of their own wheels, unpacked beside torch. They are in
# torch's run path already; they are in ours too for installed torches whose run path was rewritten.
get_filename_component(site_dir ${torch_dir} DIRECTORY)
set(OMNISYNC_CUDA_RUNTIME_DIR "")
foreach(dir ${site_dir}/nvidia/cu13/lib ${site_dir}/nvidia/cuda_runtime/lib ${site_dir}/nvidia/cuda_cupti/lib)
  if(EXISTS ${dir})
    list(APPEND OMNISYNC_CUDA_RUNTIME_DIR ${dir})
    target_link_options(omnisync_torch INTERFACE LINKER:-rpath-link,${dir} LINKER:-rpath,${dir})
  endif()
endforeach()

set(OMNISYNC_TORCH_FOUND_DIR ${torch_dir})
set(OMNISYNC_HAVE_TORCH ON)

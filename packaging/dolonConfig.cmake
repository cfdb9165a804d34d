# SPDX-License-Identifier: MIT OR Unlicense
# dolon for CMake: find_package(dolon), then target_link_libraries(program PRIVATE dolon::dolon). Installed as
# PREFIX/share/cmake/dolon/dolonConfig.cmake; the header is found from there, so that the prefix may be moved.
get_filename_component(dolon_INCLUDE_DIR "${CMAKE_CURRENT_LIST_DIR}/../../../include" ABSOLUTE)
if(NOT EXISTS "${dolon_INCLUDE_DIR}/dolon.h")
    set(dolon_FOUND FALSE)
    set(dolon_NOT_FOUND_MESSAGE "there is no dolon.h in ${dolon_INCLUDE_DIR}")
    return()
endif()

include(CMakeFindDependencyMacro)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_dependency(Threads)

if(NOT TARGET dolon::dolon)
    add_library(dolon::dolon INTERFACE IMPORTED)
    target_include_directories(dolon::dolon INTERFACE "${dolon_INCLUDE_DIR}")
    target_link_libraries(dolon::dolon INTERFACE Threads::Threads $<$<PLATFORM_ID:Windows>:ws2_32>)
endif()

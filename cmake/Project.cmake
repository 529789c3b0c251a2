# Compiler settings and the three functions that every CMakeLists.txt here is made of.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(THREADS_PREFER_PTHREAD_FLAG ON)

option(PROJECT_SANITIZE "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(PROJECT_FUZZ "Build the libFuzzer targets" OFF)

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "Build with clang 19 or newer (cmake --preset release): "
                      "g++ 12 miscompiles coroutines.")
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_SOURCE_DIR}/cmake/compile_cached ${CMAKE_SOURCE_DIR}
      ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                    -Wno-missing-designated-field-initializers
                    -Werror=unused-result -Werror=return-type -Werror=switch)
add_compile_options(-Xclang -fno-pch-timestamp)
# One thread runs each io_context, and the compiler finds no use for their handler tracking.
add_compile_definitions(BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION)
add_link_options(-fuse-ld=lld-19)
if(PROJECT_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  # Line numbers are enough to read a report, and whole debug information triples link time. The
  # optimiser would take half of the compile time and save seconds of the tests'.
  string(REPLACE "-g" "-g1 -O0" CMAKE_CXX_FLAGS_DEBUG "${CMAKE_CXX_FLAGS_DEBUG}")
endif()
if(PROJECT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(GTest REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)

# The headers that nearly every source includes, compiled once.
set(PRECOMPILED_HEADERS
  <chrono> <expected> <functional> <map> <memory> <optional> <span> <string> <string_view>
  <variant> <vector> <fmt/core.h> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp>
  <boost/asio/io_context.hpp> <boost/asio/post.hpp> <boost/asio/use_awaitable.hpp>)
add_library(precompiled OBJECT ${CMAKE_SOURCE_DIR}/cmake/precompiled.cpp)
target_precompile_headers(precompiled PRIVATE ${PRECOMPILED_HEADERS})
target_include_directories(precompiled PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(precompiled PRIVATE fmt::fmt Threads::Threads)

# project_settings(TARGET [HEADER...]): what every target here has. HEADERs, as <path/to/header.h>,
# are compiled once for this target together with those of all.
function(project_settings target)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  if(ARGN)
    target_precompile_headers(${target} PRIVATE ${PRECOMPILED_HEADERS} ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM precompiled)
  endif()
  target_link_libraries(${target} PUBLIC asio fmt::fmt Threads::Threads)
endfunction()

# project_library(NAME [DEPENDS targets...] [PRECOMPILE header] [TEST_PRECOMPILE header]): all *.cpp
# of this folder but tests and main.cpp as library NAME, and all its *_test.cpp as program NAME_test,
# run by CTest as NAME. PRECOMPILE names the folder's header that most of its sources include.
function(project_library name)
  cmake_parse_arguments(ARG "" "PRECOMPILE;TEST_PRECOMPILE" "DEPENDS;TEST_DEPENDS" ${ARGN})
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set(precompile)
  if(ARG_PRECOMPILE)
    set(precompile <${folder}/${ARG_PRECOMPILE}>)
  endif()
  set(test_precompile ${precompile})
  if(ARG_TEST_PRECOMPILE)
    set(test_precompile <gmock/gmock.h> <gtest/gtest.h> <${folder}/${ARG_TEST_PRECOMPILE}>)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp)
  file(GLOB main CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/main.cpp)
  if(tests OR main OR name STREQUAL runtime)
    list(REMOVE_ITEM sources ${tests} ${main} ${CMAKE_CURRENT_SOURCE_DIR}/asio.cpp)
  endif()
  add_library(${name} STATIC ${sources} ${headers})
  project_settings(${name} ${precompile})
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS})
  if(tests)
    add_executable(${name}_test ${tests})
    project_settings(${name}_test ${test_precompile})
    target_link_libraries(${name}_test PRIVATE ${name} ${ARG_TEST_DEPENDS} GTest::gmock
                          GTest::gtest GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS unit)
  endif()
endfunction()

# project_program(NAME SOURCES files... [DEPENDS targets...])
function(project_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  project_settings(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS})
endfunction()

# project_fuzzer(NAME SOURCE CORPUS [DEPENDS targets...]): with the fuzz preset a libFuzzer program;
# always a test that runs the corpus through the same entry point.
function(project_fuzzer name source corpus)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  if(PROJECT_FUZZ)
    add_executable(${name} ${source})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/run_corpus.cpp)
    add_test(NAME ${name} COMMAND ${name} ${corpus})
    set_tests_properties(${name} PROPERTIES TIMEOUT 60 LABELS fuzz)
  endif()
  project_settings(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS})
endfunction()

include(Service)

# embed_files(TARGET NAME=FILE...): puts each file, plain and gzipped, into TARGET as symbols
# _binary_NAME_start, _binary_NAME_end, _binary_NAME_gz_start and _binary_NAME_gz_end.
find_program(PROJECT_GZIP gzip REQUIRED)

function(embed_files target)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/embedded)
  foreach(pair IN LISTS ARGN)
    string(FIND ${pair} "=" at)
    string(SUBSTRING ${pair} 0 ${at} name)
    math(EXPR at "${at} + 1")
    string(SUBSTRING ${pair} ${at} -1 file)
    # The linker makes the symbols' names of the path that it is given: the bare name.
    add_custom_command(
      OUTPUT ${folder}/${name}.o
      COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
      COMMAND ${CMAKE_COMMAND} -E copy ${file} ${folder}/${name}
      COMMAND ${PROJECT_GZIP} -9nc ${name} > ${name}_gz
      COMMAND ${CMAKE_CXX_COMPILER} -r -nostdlib -fuse-ld=lld-19 -Wl,-z,noexecstack -o ${name}.o
              -Wl,-b,binary ${name} ${name}_gz
      WORKING_DIRECTORY ${folder}
      DEPENDS ${file}
      VERBATIM)
    target_sources(${target} PRIVATE ${folder}/${name}.o)
    set_source_files_properties(${folder}/${name}.o PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  endforeach()
endfunction()

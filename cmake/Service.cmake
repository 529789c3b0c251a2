# project_service(NAME ...): an AWS service's folder. Makes library NAME_model of the code that
# tools/modelgen writes into generated/NAME, and library NAME with NAME_test of the folder, as
# project_library does, whose arguments it takes.
set(MODELS_FOLDER /usr/lib/python3/dist-packages/botocore/data CACHE PATH
    "Service models, as python3-botocore installs them")

function(project_service name)
  cmake_parse_arguments(ARG "" "PRECOMPILE;TEST_PRECOMPILE" "DEPENDS;TEST_DEPENDS" ${ARGN})
  set(folder ${CMAKE_CURRENT_SOURCE_DIR})
  set(output ${CMAKE_BINARY_DIR}/generated/${name})
  file(GLOB generator CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/modelgen/*.py)
  file(GLOB models CONFIGURE_DEPENDS ${MODELS_FOLDER}/${name}/*/service-2.json)
  file(GLOB amendments CONFIGURE_DEPENDS ${folder}/amendments.json)
  add_custom_command(
    OUTPUT ${output}/model.cpp ${output}/model.h ${output}/errors.h ${output}/dispatch.h
           ${output}/permissions.h
    COMMAND /usr/bin/python3 -B ${CMAKE_SOURCE_DIR}/tools/modelgen --service ${name}
            --folder ${folder} --output ${output} --models ${MODELS_FOLDER}
    DEPENDS ${generator} ${models} ${amendments} ${folder}/operations.txt
    COMMENT "Generating ${name} from its model"
    VERBATIM)
  add_library(${name}_model STATIC ${output}/model.cpp ${output}/model.h ${output}/errors.h
              ${output}/dispatch.h ${output}/permissions.h)
  project_settings(${name}_model)
  target_link_libraries(${name}_model PUBLIC wire)

  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  if(sources)
    project_library(${name} DEPENDS ${name}_model wire store ${ARG_DEPENDS}
                    TEST_DEPENDS ${ARG_TEST_DEPENDS} PRECOMPILE ${ARG_PRECOMPILE}
                    TEST_PRECOMPILE ${ARG_TEST_PRECOMPILE})
  endif()
endfunction()

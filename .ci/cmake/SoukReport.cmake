# The page of `souk report`: its parts become arrays of the program, the libraries that draw lie beside it.

# souk_embed(TARGET FILE…): the bytes of each file as souk_page_NAME, '.' in the name replaced by '_'.
function(souk_embed target)
  set(sources "")
  foreach(file IN LISTS ARGN)
    get_filename_component(name ${file} NAME)
    string(MAKE_C_IDENTIFIER ${name} symbol)
    set(out ${PROJECT_BINARY_DIR}/generated/page/${symbol}.cc)
    add_custom_command(
      OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_CURRENT_SOURCE_DIR}/${file} -DOUTPUT=${out} -DSYMBOL=souk_page_${symbol}
              -P ${PROJECT_SOURCE_DIR}/.ci/cmake/EmbedFile.cmake
      DEPENDS ${file} ${PROJECT_SOURCE_DIR}/.ci/cmake/EmbedFile.cmake VERBATIM)
    list(APPEND sources ${out})
  endforeach()
  add_library(${target} OBJECT ${sources})
  set_property(GLOBAL APPEND PROPERTY souk_modules ${target})
endfunction()

# souk_report_libraries(TARGET DIRECTORY): the minified libraries and their licences, from node_modules, into the build's
# folder `report` and, on installation, into share/souk/report. Without node_modules reports have tables and no charts.
function(souk_report_libraries target directory)
  set(out ${PROJECT_BINARY_DIR}/report)
  set(copies "")
  foreach(library vega vega-lite vega-embed)
    set(package ${directory}/node_modules/${library})
    if(NOT EXISTS ${package}/build/${library}.min.js)
      message(STATUS "${library} is not in ${directory}/node_modules: reports will contain tables but no charts")
      continue()
    endif()
    foreach(pair build/${library}.min.js:${library}.min.js LICENSE:${library}.LICENSE)
      string(REPLACE ":" ";" pair ${pair})
      list(GET pair 0 from)
      list(GET pair 1 to)
      add_custom_command(OUTPUT ${out}/${to} COMMAND ${CMAKE_COMMAND} -E copy ${package}/${from} ${out}/${to}
                         DEPENDS ${package}/${from} VERBATIM)
      list(APPEND copies ${out}/${to})
    endforeach()
  endforeach()
  add_custom_target(${target} ALL DEPENDS ${copies})
  if(copies)
    install(FILES ${copies} DESTINATION share/souk/report)
  endif()
endfunction()

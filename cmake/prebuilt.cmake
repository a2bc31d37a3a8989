# Links to the shared libraries of the platform package. CPU variants and GPU backends are loaded at run time.

file(GLOB MEDITRON_PREBUILT
    "${MEDITRON_LIBRARY_DIR}/libllama.*${CMAKE_SHARED_LIBRARY_SUFFIX}"
    "${MEDITRON_LIBRARY_DIR}/libggml.*${CMAKE_SHARED_LIBRARY_SUFFIX}"
    "${MEDITRON_LIBRARY_DIR}/libggml-base*${CMAKE_SHARED_LIBRARY_SUFFIX}")

if (WIN32)
    # The package has DLLs but no import libraries: one is made from the list of exported names.
    file(GLOB MEDITRON_PREBUILT "${MEDITRON_LIBRARY_DIR}/llama*.dll" "${MEDITRON_LIBRARY_DIR}/ggml.*dll" "${MEDITRON_LIBRARY_DIR}/ggml-base*.dll")
    set(MEDITRON_IMPORT_LIBRARIES)
    foreach(dll ${MEDITRON_PREBUILT})
        get_filename_component(name "${dll}" NAME)
        set(def "${CMAKE_BINARY_DIR}/${name}.def")
        execute_process(COMMAND dumpbin /nologo /exports "${dll}" OUTPUT_VARIABLE exports COMMAND_ERROR_IS_FATAL ANY)
        string(REGEX MATCHALL "\n +[0-9]+ +[0-9A-F]+ [0-9A-F]+ [^ \r\n]+" lines "${exports}")
        set(text "LIBRARY ${name}\nEXPORTS\n")
        foreach(line ${lines})
            string(REGEX REPLACE ".* ([^ ]+)$" "\\1" symbol "${line}")
            string(APPEND text "${symbol}\n")
        endforeach()
        file(WRITE "${def}" "${text}")
        execute_process(COMMAND ${CMAKE_AR} /nologo "/def:${def}" "/out:${def}.lib" /machine:x64 COMMAND_ERROR_IS_FATAL ANY)
        list(APPEND MEDITRON_IMPORT_LIBRARIES "${def}.lib")
    endforeach()
    set(MEDITRON_PREBUILT ${MEDITRON_IMPORT_LIBRARIES})
endif()

if (NOT MEDITRON_PREBUILT)
    message(FATAL_ERROR
        "No llama.cpp libraries in \"${MEDITRON_LIBRARY_DIR}\". Reinstall with `npm ci`; where there is no prebuilt package "
        "for this platform, build from source: `npm run build -- --source`.")
endif()
target_link_libraries(meditron-llama INTERFACE ${MEDITRON_PREBUILT})

# Relative to the addon, so that the whole folder can be moved.
function(meditron_set_rpath target)
    if (APPLE)
        set(origin "@loader_path")
    else()
        set(origin "$ORIGIN")
    endif()
    file(RELATIVE_PATH relative "${CMAKE_BINARY_DIR}/Release" "${MEDITRON_LIBRARY_DIR}")
    set_target_properties(${target} PROPERTIES BUILD_RPATH "${origin}/${relative};${MEDITRON_LIBRARY_DIR}" BUILD_RPATH_USE_ORIGIN OFF)
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/Release" LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/Release")
endfunction()

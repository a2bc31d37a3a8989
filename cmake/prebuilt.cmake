# Links to the shared libraries of the platform package. CPU variants and GPU backends are loaded at run time.

if (WIN32)
    # The package has DLLs but no import libraries: each is made from the names that the DLL exports.
    function(meditron_import_library def dll out)
        set(library "${CMAKE_BINARY_DIR}/${dll}.lib")
        if (MSVC)
            execute_process(COMMAND ${CMAKE_AR} /nologo "/def:${def}" "/out:${library}" /machine:x64 COMMAND_ERROR_IS_FATAL ANY)
        else()
            execute_process(COMMAND ${CMAKE_DLLTOOL} --input-def "${def}" --dllname "${dll}" ${ARGN} "${library}" COMMAND_ERROR_IS_FATAL ANY)
        endif()
        set(${out} "${library}" PARENT_SCOPE)
    endfunction()

    file(GLOB MEDITRON_DLLS "${MEDITRON_LIBRARY_DIR}/llama.dll" "${MEDITRON_LIBRARY_DIR}/llama.*.dll" "${MEDITRON_LIBRARY_DIR}/ggml.dll"
        "${MEDITRON_LIBRARY_DIR}/ggml.*.dll" "${MEDITRON_LIBRARY_DIR}/ggml-base.dll")
    set(MEDITRON_PREBUILT)
    foreach(dll ${MEDITRON_DLLS})
        get_filename_component(name "${dll}" NAME)
        set(def "${CMAKE_BINARY_DIR}/${name}.def")
        execute_process(
            COMMAND "${MEDITRON_NODE}" "${CMAKE_SOURCE_DIR}/scripts/exports.js" "${dll}"
            OUTPUT_FILE "${def}" COMMAND_ERROR_IS_FATAL ANY)
        meditron_import_library("${def}" "${name}" library --output-lib)
        list(APPEND MEDITRON_PREBUILT "${library}")
    endforeach()
    if (MINGW)
        # Loaded when the addon starts (native/node/node_exe.cpp), because the program need not be called node.exe.
        meditron_import_library("${MEDITRON_NODE_DEF}" node.exe MEDITRON_NODE_LIBRARY --output-delaylib)
    endif()
else()
    file(GLOB MEDITRON_PREBUILT
        "${MEDITRON_LIBRARY_DIR}/libllama.*${CMAKE_SHARED_LIBRARY_SUFFIX}"
        "${MEDITRON_LIBRARY_DIR}/libggml.*${CMAKE_SHARED_LIBRARY_SUFFIX}"
        "${MEDITRON_LIBRARY_DIR}/libggml-base*${CMAKE_SHARED_LIBRARY_SUFFIX}")
endif()

if (NOT MEDITRON_PREBUILT)
    message(FATAL_ERROR
        "No llama.cpp libraries in \"${MEDITRON_LIBRARY_DIR}\". Reinstall with `npm ci`; where there is no prebuilt package "
        "for this platform, build from source: `npm run build -- --source`.")
endif()
target_link_libraries(meditron-llama INTERFACE ${MEDITRON_PREBUILT})

# Relative to the addon, so that the whole folder can be moved. In a package the libraries are beside the addon.
function(meditron_set_rpath target)
    if (APPLE)
        set(origin "@loader_path")
    else()
        set(origin "$ORIGIN")
    endif()
    file(RELATIVE_PATH relative "${CMAKE_BINARY_DIR}/Release" "${MEDITRON_LIBRARY_DIR}")
    set_target_properties(${target} PROPERTIES BUILD_RPATH "${origin}/${relative};${MEDITRON_LIBRARY_DIR}" BUILD_RPATH_USE_ORIGIN OFF)
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "${origin}")
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/Release" LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/Release")
endfunction()

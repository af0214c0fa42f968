# Our own code compiles without a warning; a library's headers are system headers and are not judged.
add_library(tollgate_warnings INTERFACE)
target_compile_options(tollgate_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Werror
    -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
    -Woverloaded-virtual -Wdouble-promotion -Wformat=2 -Wimplicit-fallthrough
    -Wswitch-enum)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(tollgate_warnings INTERFACE
        -Wduplicated-cond -Wlogical-op -Wuseless-cast -Wno-tsan)
endif()

# A library of one folder of the house: its headers are included as "folder/name.h" from the root.
function(tollgate_library name)
    add_library(${name} STATIC ${ARGN})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE tollgate_warnings)
    target_link_libraries(${name} PUBLIC tollgate_sanitizers)
endfunction()

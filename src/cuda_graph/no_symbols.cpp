// Two libraries without content: see CMakeLists.txt.

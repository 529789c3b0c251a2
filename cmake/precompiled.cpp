// Holds the precompiled header that every target reuses (see Project.cmake).

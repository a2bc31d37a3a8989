// Takes the place of a CPU variant that is not built.

#include "sim/app/program.hpp"

int main(int argc, char** argv) { return souk::run_program(argc, argv); }

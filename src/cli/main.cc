#include "cli/run.h"

int main(int argc, char** argv) { return parley::cli::run(argc, argv); }

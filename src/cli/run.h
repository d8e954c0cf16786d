// The program `parley`.
#pragma once

namespace parley::cli {

// Parses the arguments and runs the sub-command. The exit status: 0 done, 1 failed (after one
// sentence on stderr that says what to do), 2 the arguments make no sense.
int run(int argc, const char* const* argv);

}  // namespace parley::cli

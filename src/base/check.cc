#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace parley {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "parley: internal error: CHECK(%s) failed at %s:%d\n", condition, file,
               line);
  std::abort();
}

}  // namespace parley

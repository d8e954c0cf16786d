// Options from variables of the environment: PARLEY_<SECTION>_<OPTION>, and CENTRIFUGO_ in the same
// way.
#pragma once

#include <string>

#include "config/settings.h"

namespace parley::config {

// The name of a path or of a namespace inside a variable: upper case, "_" for ".", "-".
std::string environment_name(std::string_view path);

// Reads all variables that begin with one of the two prefixes over what `layers` has. An empty
// value is as good as none. A variable that no option has is a warning, since others put some into
// the environment too (Kubernetes: PARLEY_SERVICE_HOST); one that looks like a mistyped permission
// is a problem.
void read_environment(const Environment& environment, SettingsReader& reader, Layers& layers,
                      Report& problems, Report& warnings);

}  // namespace parley::config

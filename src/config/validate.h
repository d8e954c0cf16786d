// Rules between options.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/load.h"

namespace parley::config {

// `config` has inherited values in place (load() puts them there).
std::vector<Finding> validate(const Config& config);

// A sentence for each mode that is on and protects nothing.
std::vector<std::string> insecure_modes(const Config& config);

}  // namespace parley::config

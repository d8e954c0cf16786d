// The table of options as texts for people.
#pragma once

#include <string>

namespace parley::config {

// All supported options with their defaults, as a YAML file that explains itself.
std::string render_defaults();

// The generated part of docs/configuration.md.
std::string render_reference();

}  // namespace parley::config

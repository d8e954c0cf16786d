#include "tests/sim/simulation.h"

#include <cstdlib>

namespace parley::sim {

Simulation::Simulation(uint64_t seed)
    : random(seed * 0x9e3779b97f4a7c15ull + 1), telling_(std::getenv("SIM_LOG") != nullptr) {}

}  // namespace parley::sim

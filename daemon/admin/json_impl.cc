// Boost.JSON's own code, compiled once here: what json.cc declares the use of is defined by this file alone.
#include <boost/json/src.hpp>

// Asio's own code, compiled once here (BOOST_ASIO_SEPARATE_COMPILATION): every file that includes Asio builds
// faster.
#include <boost/asio/impl/src.hpp>

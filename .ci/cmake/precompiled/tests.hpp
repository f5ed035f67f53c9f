#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include ".ci/cmake/precompiled/standard.hpp"

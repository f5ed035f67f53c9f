// Random words in bulk are those that a stream draws one by one.
#include "sim/params/random_words.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace souk::random_words_test {
namespace {

TEST(RandomWords, are_those_of_the_stream) {
  const StreamKey key{Purpose::encoding, AgentId{7}, RoundIndex{3}, 2};
  for (const std::size_t first : {std::size_t{0}, std::size_t{4}, std::size_t{64}, std::size_t{1000}}) {
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{301}}) {
      Stream stream(0x123456789ABCDEFULL, key);
      for (std::size_t i = 0; i < first; ++i) stream.next();
      std::vector<std::uint32_t> expected(count), words(count);
      for (std::uint32_t& word : expected) word = stream.next();
      random_words(0x123456789ABCDEFULL, key, first, words);
      EXPECT_EQ(words, expected) << first << " " << count;
    }
  }
}

}  // namespace
}  // namespace souk::random_words_test

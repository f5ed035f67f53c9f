#include "sim/data/vocabulary.hpp"

#include <gmock/gmock.h>

namespace souk::vocabulary_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<float> row_of(const Vocabulary& vocabulary, std::string_view text, std::size_t length) {
  std::vector<float> row(length, -1.0F);
  vocabulary.write(text, row);
  return row;
}

TEST(Words, are_runs_of_letters_digits_and_inner_apostrophes_in_lower_case) {
  EXPECT_THAT(words_of("What's the U.S. GDP, in 1999?"), ElementsAre("what's", "the", "u", "s", "gdp", "in", "1999"));
  EXPECT_THAT(words_of("celebrities ' real ''names'' -- 'tis"), ElementsAre("celebrities", "real", "names", "tis"));
  EXPECT_THAT(words_of("second\\team <b>x_y</b>\t\n"), ElementsAre("second", "team", "b", "x", "y", "b"));
  EXPECT_THAT(words_of(""), IsEmpty());
  EXPECT_THAT(words_of(" ' '' ... "), IsEmpty());
}

TEST(Words, keep_bytes_beyond_ascii_in_any_encoding) {
  EXPECT_THAT(words_of("\xC3\x89T\xC3\x89 na\xEFve"), ElementsAre("\xC3\x89t\xC3\x89", "na\xEFve"));
}

TEST(Vocabulary, numbers_words_from_2_by_frequency_then_by_their_bytes) {
  const std::vector<std::string_view> texts{"b a c", "B c d", "c d e"};  // c 3, b 2, d 2, a 1, e 1
  const Vocabulary vocabulary(texts, {.words = 100, .occurrences = 1});

  EXPECT_EQ(vocabulary.tokens(), 7U);
  EXPECT_THAT(row_of(vocabulary, "c b d a e", 5), ElementsAre(2, 3, 4, 5, 6));
}

TEST(Vocabulary, leaves_out_what_is_rare_and_what_is_beyond_its_size) {
  const std::vector<std::string_view> texts{"b a c", "B c d", "c d e"};

  const Vocabulary frequent(texts, {.words = 100, .occurrences = 2});
  EXPECT_EQ(frequent.tokens(), 5U);
  EXPECT_THAT(row_of(frequent, "a b c d e", 5), ElementsAre(1, 3, 2, 4, 1));

  const Vocabulary small(texts, {.words = 2, .occurrences = 1});
  EXPECT_EQ(small.tokens(), 4U);
  EXPECT_THAT(row_of(small, "a b c d e", 5), ElementsAre(1, 3, 2, 1, 1));
}

TEST(Vocabulary, pads_short_texts_and_cuts_long_ones) {
  const std::vector<std::string_view> texts{"a a a b b c"};
  const Vocabulary vocabulary(texts, {.words = 100, .occurrences = 1});

  EXPECT_THAT(row_of(vocabulary, "C, unheard b!", 5), ElementsAre(4, 1, 3, 0, 0));
  EXPECT_THAT(row_of(vocabulary, "a b c a b c", 4), ElementsAre(2, 3, 4, 2));
  EXPECT_THAT(row_of(vocabulary, "", 2), ElementsAre(0, 0));
}

}  // namespace
}  // namespace souk::vocabulary_test

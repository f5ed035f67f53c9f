# Writes the bytes of INPUT as a C++ array, SYMBOL (souk_schema_description unless given), into OUTPUT.
if(NOT SYMBOL)
  set(SYMBOL souk_schema_description)
endif()
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT} "#include <cstddef>
extern const unsigned char ${SYMBOL}[];
extern const std::size_t ${SYMBOL}_size;
const unsigned char ${SYMBOL}[] = {${bytes}};
const std::size_t ${SYMBOL}_size = sizeof ${SYMBOL};
")

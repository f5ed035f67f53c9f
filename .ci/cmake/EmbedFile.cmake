# Writes the bytes of INPUT as a C++ array, souk_schema_description, into OUTPUT.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT} "#include <cstddef>
extern const unsigned char souk_schema_description[];
extern const std::size_t souk_schema_description_size;
const unsigned char souk_schema_description[] = {${bytes}};
const std::size_t souk_schema_description_size = sizeof souk_schema_description;
")

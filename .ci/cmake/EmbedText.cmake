# cmake -DINPUT=… -DOUTPUT=… -P EmbedText.cmake: a text file as one raw string literal, to be included in a source.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "R\"souk(${text})souk\"\n")

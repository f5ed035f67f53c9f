#!/bin/sh
# guides_test.sh REPO: a field that a guide tells to enter in the schema has the number that `next` names there, which is
# taken by no other; lines of the schema that a guide shows are as they are. So that what a guide prints compiles.
set -eu
cd "$1"
failed=0

# GUIDE… -> "guide:line file oneof message Type name number", one line per field; message: - where the guide names none.
fields_of_guides() {
  awk '
    FNR == 1 { file = oneof = message = "-" }
    {
      rest = $0
      while (match(rest, /`scenarios\/[a-z_]*\.proto`|`?oneof [a-z_]*`( of `[A-Za-z]*`)?|[A-Z][A-Za-z0-9]* [a-z_0-9]* = [0-9]+;/)) {
        found = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        if (found ~ /proto`$/) {
          file = substr(found, 2, length(found) - 2)
        } else if (found ~ /oneof/) {
          split(found, words, /[ `]+/)
          message = "-"
          for (w in words) if (words[w] == "oneof") oneof = words[w + 1]
          if (found ~ / of `/) { message = found; sub(/.* of `/, "", message); sub(/`.*/, "", message) }
        } else {
          split(found, words, /[ ;]+/)
          print FILENAME ":" FNR, file, oneof, message, words[1], words[2], words[4]
        }
      }
    }' "$@"
}

# FILE ONEOF MESSAGE TYPE NAME NUMBER: what is wrong with entering that field, or nothing.
fault_of_field() {
  awk -v oneof="$2" -v message="$3" -v type="$4" -v name="$5" -v number="$6" '
    { sub(/\r$/, "") }
    match($0, /next: [0-9]+/) { next_number = substr($0, RSTART + 6, RLENGTH - 6) }
    /^ *message [A-Za-z0-9]* *\{/ { stack[++depth] = $2; if ($2 == type) defined = 1; if ($0 ~ /\}/) --depth; next }
    /^ *(enum|oneof|option \([a-z_]*\) =) *[A-Za-z_]* *\{/ {
      stack[++depth] = $1 == "oneof" ? "oneof " $2 : "other"
      owner = stack[depth - 1]
      if ($1 == "oneof" && $2 == oneof && (message == "-" || owner == message)) { home = owner; wanted = next_number }
      if ($0 ~ /\};?$/) --depth
      next
    }
    /^ *\};?$/ { --depth; next }
    match($0, /^ *(optional |repeated )?[A-Za-z0-9.]+ [a-z_0-9]+ = [0-9]+/) {
      split($0, words, /[ ;]+/)
      shift = words[1] == "" ? 1 : 0
      if (words[1 + shift] == "optional" || words[1 + shift] == "repeated") ++shift
      at = depth
      while (at > 0 && stack[at] ~ /^(oneof |other)/) --at
      if (stack[depth] == "other") next
      taken[stack[at], words[4 + shift]] = words[2 + shift]
      if (words[1 + shift] == type && words[2 + shift] == name && words[4 + shift] == number) shown = 1
    }
    END {
      if (shown) exit
      if (home == "") { print "there is no oneof " oneof; exit }
      if (defined) print "a message " type " exists"
      if ((home, number) in taken) print "number " number " of " home " is taken by " taken[home, number]
      if (wanted != number) print "number " number " is not the next of " home ", " wanted
    }' "$1"
}

count=0
while read -r place file oneof message type name number; do
  count=$((count + 1))
  if [ ! -f "$file" ]; then
    echo "$place: $type $name = $number; names no file of the schema before it" >&2
    failed=1
    continue
  fi
  fault=$(fault_of_field "$file" "$oneof" "$message" "$type" "$name" "$number")
  if [ -n "$fault" ]; then
    echo "$place: $type $name = $number; in $file: $fault" >&2
    failed=1
  fi
done <<END
$(fields_of_guides docs/adding-a-rule.md docs/adding-an-attack.md docs/adding-an-objective.md)
END

if [ "$count" -lt 6 ]; then
  echo "only $count fields were found in the guides" >&2
  failed=1
fi
exit $failed

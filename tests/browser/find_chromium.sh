#!/bin/sh
# Prints the path of a Chromium, installing it where that needs no question (Debian, as root); else says what is missing.
find_it() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}
find_it && exit
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core; } >/dev/null 2>&1
    find_it && exit
fi
echo "The browser test needs Chromium or Google Chrome: apt-get install chromium fonts-dejavu-core" >&2
exit 1

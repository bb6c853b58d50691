#!/usr/bin/env bash
# The system libraries that Qt needs (and, with --tests, the X server that some tests run in): installs them where it
# may (Debian or Ubuntu, as root), else names them and exits with 3. Nothing is done where all are there.
set -u

# library or program looked for : Debian package
needed=(
    libEGL.so.1:libegl1
    libGL.so.1:libgl1
    libxkbcommon.so.0:libxkbcommon0
    libxkbcommon-x11.so.0:libxkbcommon-x11-0
    libxcb-cursor.so.0:libxcb-cursor0
    libxcb-icccm.so.4:libxcb-icccm4
    libxcb-image.so.0:libxcb-image0
    libxcb-keysyms.so.1:libxcb-keysyms1
    libxcb-randr.so.0:libxcb-randr0
    libxcb-render-util.so.0:libxcb-render-util0
    libxcb-shape.so.0:libxcb-shape0
    libxcb-xkb.so.1:libxcb-xkb1
    libdbus-1.so.3:libdbus-1-3
    libfontconfig.so.1:libfontconfig1
    libglib-2.0.so.0:libglib2.0-0
)
tests=(Xvfb:xvfb xdotool:xdotool desktop-file-validate:desktop-file-utils)

[ "$(uname -s)" = Linux ] || exit 0
[ "${1:-}" = --tests ] && needed+=("${tests[@]}")

libraries=$(/sbin/ldconfig -p 2>/dev/null || ldconfig -p 2>/dev/null)
missing=()
for entry in "${needed[@]}"; do
    file=${entry%%:*} package=${entry#*:}
    case $file in
        *.so.*) grep -qF "$file" <<<"$libraries" || missing+=("$package") ;;
        *) command -v "$file" >/dev/null || missing+=("$package") ;;
    esac
done
# Qt draws no text at all where there is not one font.
compgen -G '/usr/share/fonts/*/*/*.ttf' >/dev/null || compgen -G '/usr/share/fonts/*/*.ttf' >/dev/null ||
    missing+=(fonts-dejavu-core)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing system libraries: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; } >/tmp/trtviewer-apt.log 2>&1 && exit 0
    tail -n 5 /tmp/trtviewer-apt.log >&2
fi
echo "system libraries are missing; on Debian or Ubuntu: sudo apt-get install ${missing[*]}" >&2
exit 3

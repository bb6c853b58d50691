#!/bin/sh
# Puts the program, where this folder lies, into this user's menu, with its icon, its file types and the command
# `trtviewer`:     desktop/install.sh [--remove]
# Nothing outside the home is touched. Run it again after the folder was moved.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${here%/*}/trtviewer
icons=${here%/*}/_internal/resources/icons
share=${XDG_DATA_HOME:-$HOME/.local/share}
bin=$HOME/.local/bin

entry=$share/applications/trtviewer.desktop
mime=$share/mime/packages/trtviewer.xml

refresh() {
    if command -v update-mime-database >/dev/null; then update-mime-database "$share/mime" >/dev/null 2>&1 || true; fi
    if command -v update-desktop-database >/dev/null; then update-desktop-database "$share/applications" >/dev/null 2>&1 || true; fi
    if command -v gtk-update-icon-cache >/dev/null; then gtk-update-icon-cache -q "$share/icons/hicolor" >/dev/null 2>&1 || true; fi
}

if [ "${1:-}" = --remove ]; then
    rm -f "$entry" "$mime" "$share"/icons/hicolor/*/apps/trtviewer.png "$share/icons/hicolor/scalable/apps/trtviewer.svg"
    if [ -L "$bin/trtviewer" ]; then rm -f "$bin/trtviewer"; fi
    refresh
    exit 0
fi
[ $# -eq 0 ] || { echo "usage: install.sh [--remove]" >&2; exit 2; }
[ -x "$program" ] || { echo "$program is not there: leave this folder beside the program" >&2; exit 2; }

# Exec= wants a path with spaces in quotes and four characters escaped, twice over: once for the entry, once for the file.
quoted=$(printf '%s' "$program" | sed -e 's/[\\"`$]/\\&/g' -e 's/\\/\\\\/g' -e 's/%/%%/g')
plain=$(printf '%s' "$program" | sed -e 's/\\/\\\\/g')
literal() { printf '%s' "$1" | sed -e 's/[\\&|]/\\&/g'; }

mkdir -p "${entry%/*}" "${mime%/*}" "$bin"
sed -e "s|@PROGRAM@|\"$(literal "$quoted")\"|" -e "s|@TRY@|$(literal "$plain")|" "$here/trtviewer.desktop" >"$entry"
cp "$here/trtviewer-mime.xml" "$mime"
for size in 16 22 24 32 48 64 96 128 256 512; do
    folder=$share/icons/hicolor/${size}x${size}/apps
    mkdir -p "$folder"
    cp "$icons/trtviewer-$size.png" "$folder/trtviewer.png"
done
mkdir -p "$share/icons/hicolor/scalable/apps"
cp "$icons/trtviewer.svg" "$share/icons/hicolor/scalable/apps/trtviewer.svg"
ln -sf "$program" "$bin/trtviewer"
refresh
echo "trtviewer is in the menu, and in $bin"

#!/usr/bin/env bash
# Installs the system packages that some tests need, where this user may; otherwise says which tests are skipped.
set -uo pipefail

packages=(qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross mesa-vulkan-drivers spirv-tools chromium)

installed() { [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

missing=()
for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
[[ $(id -u) == 0 ]] || as_root=(sudo --non-interactive)

# A distribution may lack one of them (Ubuntu has no chromium): that keeps no other from being installed.
install_missing() {
    "${as_root[@]}" apt-get update -qq || return
    local package known=()
    for package in "${missing[@]}"; do
        apt-cache show "$package" &>/dev/null && known+=("$package")
    done
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --yes --no-install-recommends "${known[@]}"
}

if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
    echo "installing ${missing[*]}"
    if output=$(install_missing 2>&1 </dev/null); then
        exit 0
    fi
    tail -n 3 <<<"$output"
fi
echo "missing ${missing[*]}: the tests that emulate arm64, run Vulkan or open a browser will be skipped"

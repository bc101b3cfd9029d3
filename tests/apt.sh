# SPDX-License-Identifier: MIT
# To be sourced: apt on directories of its own, for packages of a Debian release
# that may not be this system's. The system's own state is never touched, no
# root is needed, and apt checks everything by the archive's signature. The
# mirror is the one the system uses; $TILEVISOR_MIRROR names another.
#
# Wants of its caller die() and $here, a folder in tests/. After apt_open DIR
# SUITE [deb-src], apt-get and apt-cache speak of SUITE and keep what they need
# in DIR.

# The archive this system uses, whatever it calls the mirror.
apt_mirror()
{
	if [ -n "${TILEVISOR_MIRROR-}" ]; then
		echo "$TILEVISOR_MIRROR"
		return
	fi
	apt-get indextargets --no-release-info \
		--format '$(REPO_URI) $(RELEASE) $(COMPONENT)' |
	awk '$2 ~ /^(bookworm|trixie|forky|stable|oldstable|testing|unstable|sid)$/ &&
	     $3 == "main" { print $1; exit }'
}

apt_open()
{
	apt_uri=$(apt_mirror)
	[ -n "$apt_uri" ] || die "apt knows no Debian mirror; set TILEVISOR_MIRROR"
	apt_keys=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -r "$apt_keys" ] ||
		die "missing $apt_keys: install debian-archive-keyring"

	mkdir -p "$1/etc/apt.conf.d" "$1/etc/preferences.d" \
		"$1/lists/partial" "$1/cache/archives/partial"
	: >"$1/status"
	echo "${3:-deb} [arch=amd64 signed-by=$apt_keys] $apt_uri $2 main" \
		>"$1/etc/sources.list"
	{
		apt-config dump | grep '^Acquire::' |
			grep -v '^Acquire::IndexTargets'
		cat <<-END
		Dir::Etc "$1/etc";
		Dir::State "$1";
		Dir::State::status "$1/status";
		Dir::Cache "$1/cache";
		APT::Architecture "amd64";
		APT::Architectures "amd64";
		APT::Sandbox::User "$(id -un)";
		APT::Get::AllowUnauthenticated "false";
		APT::Update::Error-Mode "any";
		Acquire::AllowInsecureRepositories "false";
		Acquire::Languages "none";
		END
	} >"$1/conf"
	export APT_CONFIG="$1/conf"
	apt-get -qq update >"$1/log" 2>&1 || {
		cat "$1/log" >&2
		die "apt cannot read $2 from $apt_uri"
	}
}

# apt_seed FILE SHA256 TO: copies it out of a seed folder, $TILEVISOR_SEED or
# shared/cache beside the checkout. FILE is a pattern. Fails: none has it.
apt_seed()
{
	for apt_file in "${TILEVISOR_SEED:-/nonexistent}"/$1 \
			"$here"/../../../shared/cache/$1; do
		[ -f "$apt_file" ] || continue
		[ "$(sha256sum <"$apt_file")" = "$2  -" ] || continue
		cp "$apt_file" "$3"
		return 0
	done
	return 1
}

# apt_has PACKAGE VERSION: whether the archive still has it.
apt_has()
{
	apt-cache madison "$1" |
		awk -v "v=$2" '$3 == v { f = 1 } END { exit !f }'
}

# apt_fetch WHAT FILE: downloads one package, PACKAGE or PACKAGE=VERSION.
apt_fetch()
{
	apt_one=$(mktemp -d "$2.XXXXXX")
	(cd "$apt_one" && apt-get -qq download "$1" >"$2.log" 2>&1) || {
		cat "$2.log" >&2
		die "apt cannot download $1"
	}
	mv "$apt_one"/*.deb "$2"
	rmdir "$apt_one"
	rm "$2.log"
}

# shellcheck shell=bash
# A stand-in for libvirt's library, of any version.

# old_libvirt VERSION DIRECTORY: puts one there that only says this version, as virGetVersion() counts. LD_LIBRARY_PATH finds it.
old_libvirt()
{
	local source=$BATS_TEST_DIRNAME/../../cli/virt_library.h
	{
		sed -nE '/X\(virGetVersion\)/d; s/^\tX\((vir[A-Za-z]+)\).*/void \1(void) {}/p' "$source"
		echo "int virGetVersion(unsigned long *version) { *version = $1; return 0; }"
	} | cc -shared -fPIC -o "$2/libvirt.so.0" -x c -
}

/* SPDX-License-Identifier: MIT */
/* Does nothing: what it costs is a fork, an exec, and the loading of the libraries it is linked
 * with. */
int
main(void)
{
	return 0;
}

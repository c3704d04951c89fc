#!/bin/sh
# Runs the program that is linked beside this as `lakehouse`, and writes down beside it, in `trace`, every call of the
# system that names a file, opens a way to another machine or starts a program. The tracer stands aside (-D), so that
# the program is who was started.
here="$(dirname "$0")"
exec /usr/bin/strace -D -f -qq -y -s 4096 --seccomp-bpf -e signal=none -o "$here/trace" \
    -e trace=%file,socket,connect,bind,listen,execve,execveat,fork,vfork "$here/lakehouse" "$@"

#!/bin/sh
# Runs a network that Niwaki compiled, times it, and writes what came of it into results/.
# It needs nothing but this folder and a POSIX shell:  sh run.sh
cd "$(dirname "$0")" || exit 1
. ./settings.sh

refuse() {
	echo "niwaki: $1" >&2
	exit 1
}

# Why a program of IREE's failed: the line with its error code, which calls may follow.
why() {
	grep -m 1 '; ' results/log || tail -n 1 results/log
}

# A program of IREE's, by its own loader where it came with one.
start() {
	program=bin/$1
	shift
	[ -d lib ] && set -- --library-path lib "$program" "$@" && program=lib/ld-linux-aarch64.so.1
	# Words of their own: options are made by Niwaki and hold no blanks.
	# shellcheck disable=SC2086
	${cores:+taskset "$cores"} "./$program" "$@" $options
}

# What tells whether times can be trusted: the clock that each core may have now, its highest, and
# who sets it.
clocks() {
	for core in /sys/devices/system/cpu/cpu[0-9]*; do
		cd "$core/cpufreq" 2>/dev/null && [ -r scaling_max_freq ] && [ -r cpuinfo_max_freq ] || continue
		echo "${core##*/} $(cat scaling_max_freq) $(cat cpuinfo_max_freq) $(cat scaling_governor)"
	done
}

case "$(uname -m)" in
aarch64 | arm64) ;;
*) refuse "this machine is $(uname -m), the network was compiled for 64-bit ARM" ;;
esac
for feature in $features; do
	# Phones have cores of several kinds: a network may wander to any of them.
	if grep '^Features' /proc/cpuinfo | grep -qvwe "$feature"; then
		refuse "a core of this device lacks $feature, which target $target needs: see niwaki targets"
	fi
done

rm -rf results
mkdir results || refuse "cannot write into $(pwd)"
cp plan.json results/
chmod 755 bin/* lib/ld-linux-aarch64.so.1 2>/dev/null # a copy may have lost it

for run in $runs; do
	outputs=
	for output in $output_numbers; do
		outputs="$outputs --output=@results/run$run.output$output.npy"
	done
	# shellcheck disable=SC2086
	start iree-run-module $outputs >results/log 2>&1 ||
		refuse "iree-run-module failed: $(why)"
done

start iree-benchmark-module --device_allocator=caching \
	--benchmark_repetitions="$calls" --benchmark_min_time=1x \
	--benchmark_out=results/calls.json --benchmark_out_format=json >results/log 2>&1 ||
	refuse "iree-benchmark-module failed: $(why)"
(clocks) >results/clocks 2>/dev/null # in a shell of its own, which may change its folder

# A build of one's own may be without the profiler; then there are no times of layers.
if [ "$profiled" ]; then
	start iree-benchmark-module --device_allocator=caching --benchmark_min_time="${profiled}x" \
		--device_profiling_mode=queue-events,host-execution \
		--device_profiling_output=results/events >results/log 2>&1 || rm -f results/events
fi
getprop ro.product.model >results/model 2>/dev/null || uname -n >results/model
rm -f results/log

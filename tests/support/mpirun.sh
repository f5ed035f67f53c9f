#!/bin/sh
# mpirun.sh RANKS PROGRAM…: mpirun with what a container, root, or fewer cores than ranks need. Open MPI 5 has other names
# for some of it, and takes those of 4 without a word where it does not refuse them.
ranks=$1
shift
[ "$(id -u)" -ne 0 ] || root=--allow-run-as-root
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
case "$(mpirun --version 2>/dev/null | head -n 1)" in
*' 4.'*) options="-q --oversubscribe --mca btl_vader_single_copy_mechanism none" ;;
*) options="--map-by :OVERSUBSCRIBE --mca btl ^tcp --mca smsc ^cma" ;;
esac
exec mpirun -n "$ranks" ${root:-} $options --bind-to none --mca mpi_yield_when_idle 1 "$@"

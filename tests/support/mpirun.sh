#!/bin/sh
# mpirun.sh RANKS PROGRAM…: mpirun with what a container, root, or fewer cores than ranks need.
ranks=$1
shift
[ "$(id -u)" -ne 0 ] || root=--allow-run-as-root
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
exec mpirun -q -n "$ranks" ${root:-} --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 \
  --mca btl_vader_single_copy_mechanism none "$@"

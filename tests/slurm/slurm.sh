#!/bin/sh
# A Slurm of one node on this machine, for the tests: munged, slurmctld and slurmd (Debian: munge slurmctld slurmd
# slurm-client), as root, on loopback, with all they write in one folder. /etc/slurm/slurm.conf is linked to it, as
# the commands inside a job look there (Snakemake's plugin takes SLURM_CONF away), and must not exist before.
#
#     tests/slurm/slurm.sh start FOLDER
#     tests/slurm/slurm.sh stop FOLDER
set -eu
command=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
conf=$folder/slurm.conf
place=/etc/slurm/slurm.conf

stop() {
    if [ "$(readlink "$place")" = "$conf" ]; then rm "$place"; fi
    for daemon in slurmd slurmctld munged; do
        [ -s "$folder/$daemon.pid" ] || continue
        pid=$(cat "$folder/$daemon.pid")
        rm -f "$folder/$daemon.pid"
        # Only what was started here: the id may since be another program's.
        if grep -qs "$folder" "/proc/$pid/cmdline"; then kill "$pid"; fi
    done
}

start() {
    for daemon in munged slurmctld slurmd; do
        command -v "$daemon" > /dev/null || { echo "$daemon is not installed" >&2; exit 2; }
    done
    if [ -e "$place" ] || [ -L "$place" ]; then
        echo "$place exists: this machine has a Slurm of its own" >&2
        exit 2
    fi
    mkdir -p "$folder/state" "$folder/spool"
    dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 2> /dev/null
    chmod 400 "$folder/munge.key"
    name=$(hostname -s)
    memory=$(awk '/MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
    # Memory and CPUs are shared out but not enforced: that takes cgroups, which a container may lack.
    cat > "$conf" <<END
ClusterName=tests
SlurmctldHost=$name(127.0.0.1)
SlurmctldPort=${SLURM_PORT:-16817}
SlurmdPort=$((${SLURM_PORT:-16817} + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MinJobAge=300
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=$name NodeAddr=127.0.0.1 CPUs=2 RealMemory=$memory Gres=gpu:2 State=UNKNOWN
PartitionName=tests Nodes=$name Default=YES MaxTime=1-0 State=UP
END
    # Two devices that only stand for GPUs, so that a job which asks for one can be tried without.
    printf 'Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n' > "$folder/gres.conf"
    ln -s "$conf" "$place"
    munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
        --log-file="$folder/munged.log" --seed-file="$folder/munge.seed"
    slurmctld -f "$conf" -c
    slurmd -f "$conf" -c
    for _ in $(seq 60); do
        if sinfo --noheader --format %t 2> /dev/null | grep -q '^idle$'; then
            echo "$conf"
            return
        fi
        sleep 1
    done
    echo "Slurm did not start; see $folder/*.log" >&2
    stop
    exit 1
}

case $command in
    start) start ;;
    stop) stop ;;
    *) echo "usage: $0 start|stop FOLDER" >&2; exit 2 ;;
esac

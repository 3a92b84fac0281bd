# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154,SC2329 # one script of several files
# On a forensic workstation: mounts an attached volume so that nothing can write to it, or unmounts.
#
# Takes CORDON_MODE (mount, umount), CORDON_VOLUME (vol-…), CORDON_DEVICE (the name it was attached
# under, used where the disk does not tell its volume), CORDON_HASH (yes: SHA-256 of the whole disk,
# first). File systems appear under /mnt/cordon/<volume>/. Logical volumes are mapped read-only by
# their extents, under names of our own: the group is never activated, so a copy of this machine's
# own group, or of another case's, does no harm.

base=$root/mnt/cordon/$CORDON_VOLUME
prefix=cordon-$CORDON_VOLUME
mounted=0 skipped=0 failed=0 items=''

# Sets `disk`: NVMe disks and some others carry the volume's id as their serial number.
find_disk() {
    local name serial tries=${CORDON_TRIES:-30} letter
    local wanted=${CORDON_VOLUME/-/}
    while :; do
        while read -r name serial; do
            if [ "$serial" = "$wanted" ] || [ "$serial" = "$CORDON_VOLUME" ]; then
                disk=$root/dev/$name
                return
            fi
        done < <(lsblk -dnro NAME,SERIAL)
        if [ -n "$CORDON_DEVICE" ]; then
            letter=${CORDON_DEVICE#/dev/}
            letter=${letter#sd}
            letter=${letter#xvd}
            for name in "xvd$letter" "sd$letter"; do
                # A disk with a serial has said which volume it is, and it is not this one.
                if [ -e "$root/dev/$name" ] && [ -z "$(lsblk -dnro SERIAL "$root/dev/$name")" ]; then
                    disk=$root/dev/$name
                    return
                fi
            done
        fi
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            finish "$UNSUPPORTED" "no disk of this machine is $CORDON_VOLUME: attach it first"
        fi
        sleep 1
    done
}

# Everything on the disk that lsblk knows, the disk first: NAME and TYPE.
parts() { lsblk -nrpo NAME,TYPE "$disk" | awk '$2 == "disk" || $2 == "part"'; }

# Refuses a disk that somebody uses: this machine's own, or one mounted elsewhere. Sets `ours` where
# an earlier run mounted a part of it.
check_unused() {
    local where
    ours=''
    while read -r where; do
        case $root$where in
        "$root") ;;
        "$base"/*) ours=yes ;;
        *) finish "$REFUSED" "the disk is in use at $where: not touched" ;;
        esac
    done < <(lsblk -nro MOUNTPOINT "$disk")
}

set_read_only() {
    local name
    while read -r name _; do
        blockdev --setro "$name" && [ "$(blockdev --getro "$name")" = 1 ] ||
            finish "$FAILED" "$name could not be made read-only: nothing was mounted"
    done < <(parts)
}

# options TYPE: how to mount a file system without writing to it, its journal included.
options() {
    local always=ro,noexec,nodev,nosuid
    case $1 in
    ext3 | ext4) printf '%s,noload' "$always" ;;
    # nouuid: this machine may come from the same image, with the same id.
    xfs) printf '%s,norecovery,nouuid' "$always" ;;
    btrfs) printf '%s,rescue=nologreplay' "$always" ;;
    ext2 | vfat | exfat | ntfs | iso9660 | squashfs | udf) printf '%s' "$always" ;;
    esac
}

# item NAME STATUS TEXT: one entry of the report.
item() {
    items+="${items:+,}{\"name\":\"$(clean "$1")\",\"status\":\"$2\",\"detail\":\"$(clean "$3")\"}"
}

# mount_one DEVICE NAME: mounts what is on it under base/NAME, and looks again.
mount_one() {
    local device=$1 target=$base/$2 kind how
    kind=$(blkid -p -s TYPE -o value "$device" || :)
    how=$(options "$kind")
    if [ "$kind" = LVM2_member ]; then
        map_volumes "$device"
        return
    fi
    if [ -z "$how" ]; then
        skipped=$((skipped + 1))
        item "$2" skipped "${kind:-no file system}"
        return
    fi
    if mountpoint -q "$target"; then
        mounted=$((mounted + 1))
        item "$2" already "$target"
        return
    fi
    mkdir -p "$target"
    if mount -t "$kind" -o "$how" "$device" "$target" 2>"$work/error" >&2 &&
        findmnt -nro OPTIONS "$target" | tr , '\n' | grep -qx ro; then
        mounted=$((mounted + 1))
        item "$2" mounted "$target ($kind $how)"
    else
        failed=$((failed + 1))
        if mountpoint -q "$target"; then umount "$target"; fi
        rmdir "$target"
        item "$2" failed "$kind: $(said "$work/error")"
    fi
}

# LVM sees this one device only, so that another group of the same name or id is no matter.
lvm_only() {
    local device=$1 command=$2
    shift 2
    "$command" --readonly --noheadings --units s --nosuffix --separator '|' \
        --config "devices { use_devicesfile=0 filter=[\"a|^$device\$|\",\"r|.*|\"] }" "$@"
}

# map_volumes DEVICE: a read-only mapping for each logical volume that lies on this device alone.
map_volumes() {
    local device=$1 line name kind start size extent where first base_sector
    base_sector=$(lvm_only "$device" pvs -o pe_start "$device" | tr -d ' ')
    : >"$work/volumes"
    : >"$work/odd"
    lvm_only "$device" lvs -a -o lv_name,segtype,seg_start,seg_size,vg_extent_size,devices \
        >"$work/segments" 2>"$work/error" || finish "$FAILED" "lvs: $(said "$work/error")"
    while read -r line; do
        IFS='|' read -r name kind start size extent where <<<"$line"
        case $name in *[!A-Za-z0-9._+-]* | '' | .*) continue ;; esac
        first=${where##*(}
        first=${first%)}
        if [ "$kind" != linear ] || [ "$where" != "$device($first)" ]; then
            printf '%s\n' "$name" >>"$work/odd"
        else
            printf '%s\n' "$name" >>"$work/volumes"
            printf '%d %d linear %s %d\n' "$start" "$size" "$device" \
                $((base_sector + first * extent)) >>"$work/table-$name"
        fi
    done <"$work/segments"
    while read -r name; do
        if grep -qxF -- "$name" "$work/odd"; then
            rm -f -- "$work/table-$name"
            failed=$((failed + 1))
            item "lv-$name" failed 'not linear on this disk alone: map it by hand'
        elif [ -e "$root/dev/mapper/$prefix-$name" ] ||
            dmsetup create --readonly "$prefix-$name" "$work/table-$name" 2>"$work/error"; then
            mount_one "$root/dev/mapper/$prefix-$name" "lv-$name"
        else
            failed=$((failed + 1))
            item "lv-$name" failed "$(said "$work/error")"
        fi
    done < <(sort -u "$work/volumes" "$work/odd")
}

do_mount() {
    local name kind count_parts
    disk=''
    find_disk
    fact disk "$disk"
    check_unused
    set_read_only
    count bytes "$(blockdev --getsize64 "$disk")"
    # A mounted ext4, read-only or not, shows a superblock in memory that is not the disk's.
    if [ "$CORDON_HASH" = yes ] && [ -n "$ours" ]; then
        fact hash 'not taken: already mounted; unmount first'
    elif [ "$CORDON_HASH" = yes ]; then
        fact sha256 "$(sha256sum "$disk" | cut -d ' ' -f 1)"
    fi
    count_parts=$(parts | grep -c ' part$' || :)
    while read -r name kind; do
        # A disk with partitions holds no file system of its own.
        if [ "$kind" = disk ] && [ "$count_parts" -gt 0 ]; then continue; fi
        mount_one "$name" "${name##*/}"
    done < <(parts)
    count mounted "$mounted"
    facts+=",\"items\":[$items]"
    if [ "$failed" -gt 0 ]; then finish "$FAILED" "$mounted mounted, $failed failed"; fi
    if [ "$mounted" -eq 0 ]; then finish "$UNSUPPORTED" 'the disk holds no file system to mount'; fi
    finish "$DONE" "$mounted mounted read-only, $skipped without a file system"
}

do_umount() {
    local target mapping
    for target in "$base"/*; do
        [ -d "$target" ] || continue
        if mountpoint -q "$target" && ! umount "$target" 2>"$work/error"; then
            finish "$FAILED" "$target is still mounted: $(said "$work/error")"
        fi
        rmdir "$target"
    done
    for mapping in "$root/dev/mapper/$prefix"-*; do
        [ -e "$mapping" ] || continue
        dmsetup remove "${mapping##*/}" 2>"$work/error" ||
            finish "$FAILED" "${mapping##*/} is still mapped: $(said "$work/error")"
    done
    if [ -d "$base" ]; then rmdir "$base"; fi
    finish "$DONE" 'unmounted'
}

make_work
"do_$CORDON_MODE"

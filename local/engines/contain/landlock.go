// Landlock: files by path, TCP by port, signals and abstract sockets by domain.
package main

import (
	"fmt"
	"syscall"
	"unsafe"
)

// System calls and layouts of <linux/landlock.h>, equal on every architecture.
const (
	sysCreateRuleset = 444
	sysAddRule       = 445
	sysRestrictSelf  = 446

	createRulesetVersion = 1
	rulePathBeneath      = 1
	ruleNetPort          = 2

	fsExecute    = 1 << 0
	fsWriteFile  = 1 << 1
	fsReadFile   = 1 << 2
	fsReadDir    = 1 << 3
	fsRemoveDir  = 1 << 4
	fsRemoveFile = 1 << 5
	fsMakeDir    = 1 << 7
	fsMakeReg    = 1 << 8
	fsMakeSock   = 1 << 9
	fsMakeFifo   = 1 << 10
	fsMakeSym    = 1 << 12
	fsRefer      = 1 << 13
	fsTruncate   = 1 << 14
	fsIoctlDev   = 1 << 15

	fsOfFiles = fsExecute | fsWriteFile | fsReadFile | fsTruncate
	fsRead    = fsReadFile | fsReadDir
	fsWrite   = fsWriteFile | fsRemoveDir | fsRemoveFile | fsMakeDir | fsMakeReg | fsMakeSock | fsMakeFifo | fsMakeSym | fsRefer | fsTruncate

	netBind    = 1 << 0
	netConnect = 1 << 1

	scopeAbstractSocket = 1 << 0
	scopeSignal         = 1 << 1
)

// From 4 on TCP ports can be ruled, without which the policy would be empty words.
const minimumABI = 4

type rulesetAttr struct{ fs, net, scoped uint64 }
type portAttr struct{ access, port uint64 }

// The kernel's structure is packed to 12 bytes, which is what it reads of this.
type pathAttr struct {
	access uint64
	parent int32
}

// The kernel's newest version of Landlock; 0 where it has none or it is not enabled.
func landlockABI() int {
	abi, _, errno := syscall.Syscall(sysCreateRuleset, 0, 0, createRulesetVersion)
	if errno != 0 {
		return 0
	}
	return int(abi)
}

func applyLandlock(wanted policy) error {
	abi := landlockABI()
	if abi < minimumABI {
		return fmt.Errorf("this kernel has Landlock ABI %d, at least %d is needed: Linux 6.7 or later with Landlock enabled", abi, minimumABI)
	}
	// All that the kernel can rule is ruled: bits 0 to 14 are there from ABI 3 on.
	attr := rulesetAttr{fs: 1<<15 - 1, net: netBind | netConnect}
	size := unsafe.Offsetof(attr.scoped)
	if abi >= 5 {
		attr.fs |= fsIoctlDev
	}
	if abi >= 6 {
		attr.scoped = scopeAbstractSocket | scopeSignal
		size = unsafe.Sizeof(attr)
	}
	ruleset, _, errno := syscall.Syscall(sysCreateRuleset, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return fmt.Errorf("create the ruleset: %w", errno)
	}
	defer syscall.Close(int(ruleset))
	if err := addPaths(ruleset, wanted); err != nil {
		return err
	}
	if err := addPorts(ruleset, wanted); err != nil {
		return err
	}
	_, _, errno = syscall.Syscall(sysRestrictSelf, ruleset, 0, 0)
	if errno != 0 {
		return fmt.Errorf("restrict: %w", errno)
	}
	return nil
}

func addPaths(ruleset uintptr, wanted policy) error {
	for _, group := range []struct {
		paths  []string
		access uint64
	}{{wanted.ro, fsRead}, {wanted.exec, fsRead | fsExecute}, {wanted.rw, fsRead | fsWrite}} {
		for _, path := range group.paths {
			if err := addPath(ruleset, path, group.access); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return nil
}

func addPath(ruleset uintptr, path string, access uint64) error {
	const oPath = 0x200000
	fd, err := syscall.Open(path, oPath|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	var stat syscall.Stat_t
	if err := syscall.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		access &= fsOfFiles
	}
	rule := pathAttr{access: access, parent: int32(fd)}
	_, _, errno := syscall.Syscall6(sysAddRule, ruleset, rulePathBeneath, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	return errnoError(errno)
}

func addPorts(ruleset uintptr, wanted policy) error {
	for _, group := range []struct {
		ports  []uint64
		access uint64
	}{{wanted.connect, netConnect}, {wanted.bind, netBind}} {
		for _, port := range group.ports {
			rule := portAttr{access: group.access, port: port}
			_, _, errno := syscall.Syscall6(sysAddRule, ruleset, ruleNetPort, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
			if errno != 0 {
				return fmt.Errorf("port %d: %w", port, errno)
			}
		}
	}
	return nil
}

// seccomp: which kinds of sockets there are at all. Landlock rules TCP only, and of Unix sockets only
// abstract ones: UDP, a Unix socket's path (etcd's, the supervisor's) and Multipath TCP would pass it by.
package main

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

const (
	prSetNoNewPrivs = 38
	prSetSeccomp    = 22
	modeFilter      = 2

	retAllow = 0x7fff0000
	retErrno = 0x00050000
	retKill  = 0x80000000

	// Offsets in struct seccomp_data; both architectures are little-endian.
	atNumber, atArch, atArg0 = 0, 4, 16

	// A ring makes sockets without the system call that is filtered here. Node and Go do without it.
	sysIoUringSetup = 425
	// amd64 only: the other numbering of the same calls.
	x32Bit = 0x40000000

	typeMask   = 0xf
	afNetlink  = 16
	afUnix     = 1
	afInet     = 2
	afInet6    = 10
	sockStream = 1
	sockDgram  = 2
	protoTCP   = 6
	protoUDP   = 17
)

var auditArch = map[string]uint32{"amd64": 0xc000003e, "arm64": 0xc00000b7}

func applySeccomp(wanted policy) error {
	arch, known := auditArch[runtime.GOARCH]
	if !known {
		return fmt.Errorf("no socket filter is known for %s", runtime.GOARCH)
	}
	filter := socketFilter(arch, wanted)
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := prctl(prSetSeccomp, modeFilter, uintptr(unsafe.Pointer(&program))); err != nil {
		return fmt.Errorf("socket filter: %w", err)
	}
	return nil
}

func socketFilter(arch uint32, wanted policy) []syscall.SockFilter {
	refuse := returns(retErrno | uint32(syscall.EACCES))
	filter := []syscall.SockFilter{load(atArch), unless(arch, 1), returns(retKill), load(atNumber)}
	// `unless(x, n)` goes on with the next line when the value is not x, and skips n lines when it is.
	filter = append(filter, jump(syscall.BPF_JGE, x32Bit, 0, 1), returns(retKill))
	filter = append(filter, jump(syscall.BPF_JEQ, sysIoUringSetup, 0, 1), refuse)
	filter = append(filter, unless(syscall.SYS_SOCKET, 1), returns(retAllow))
	for _, kind := range allowedKinds(wanted) {
		filter = append(filter, kind...)
	}
	return append(filter, refuse)
}

// Each kind allows and ends, or falls through to the next.
func allowedKinds(wanted policy) [][]syscall.SockFilter {
	// Reading the machine's addresses, as name resolution does.
	kinds := [][]syscall.SockFilter{family(afNetlink)}
	if wanted.unix {
		kinds = append(kinds, family(afUnix))
	}
	for _, domain := range []uint32{afInet, afInet6} {
		kinds = append(kinds, internet(domain, sockStream, protoTCP))
		if wanted.udp {
			kinds = append(kinds, internet(domain, sockDgram, protoUDP))
		}
	}
	return kinds
}

func family(domain uint32) []syscall.SockFilter {
	return []syscall.SockFilter{load(atArg0), jump(syscall.BPF_JEQ, domain, 0, 1), returns(retAllow)}
}

func internet(domain, kind, protocol uint32) []syscall.SockFilter {
	return []syscall.SockFilter{
		load(atArg0), jump(syscall.BPF_JEQ, domain, 0, 7),
		load(atArg0 + 8), {Code: syscall.BPF_ALU | syscall.BPF_AND | syscall.BPF_K, K: typeMask}, jump(syscall.BPF_JEQ, kind, 0, 4),
		load(atArg0 + 16), jump(syscall.BPF_JEQ, 0, 1, 0), jump(syscall.BPF_JEQ, protocol, 0, 1),
		returns(retAllow),
	}
}

func load(offset uint32) syscall.SockFilter {
	return syscall.SockFilter{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, K: offset}
}

func jump(test uint16, value uint32, yes, no uint8) syscall.SockFilter {
	return syscall.SockFilter{Code: syscall.BPF_JMP | test | syscall.BPF_K, Jt: yes, Jf: no, K: value}
}

func unless(value uint32, skip uint8) syscall.SockFilter {
	return jump(syscall.BPF_JEQ, value, skip, 0)
}

func returns(value uint32) syscall.SockFilter {
	return syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: value}
}

// contain runs one command with no more of the machine than it is told (I10): files by path and TCP
// by port through Landlock, kinds of sockets through seccomp. It needs no privileges, gives none, and
// never runs the command uncontained: where the kernel lacks what the policy needs, it exits with 120.
//
//	contain [--ro PATH] [--exec PATH] [--rw PATH] [--connect PORT] [--bind PORT] [--udp] [--unix] -- CMD ARGS...
//	contain --abi
//
// Every flag may be repeated. --ro reads, --exec also runs programs, --rw reads and writes but runs none.
// What is not named is refused. It only uses the standard library, so building it needs no network.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

// Exit codes of our own, beside those of the command.
const (
	exitUsage        = 2
	exitNotContained = 120
	exitNotStarted   = 127
)

type policy struct {
	ro, exec, rw  []string
	connect, bind []uint64
	udp, unix     bool
	command       []string
}

// Restrictions are a thread's own, and execve keeps those of the thread that calls it.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--abi" {
		fmt.Println(landlockABI())
		return
	}
	wanted, err := parse(os.Args[1:])
	if err != nil {
		fail(exitUsage, "InvalidInput", err)
	}
	program, err := exec.LookPath(wanted.command[0])
	if err != nil {
		fail(exitNotStarted, "NotFound", err)
	}
	if err := restrict(wanted); err != nil {
		fail(exitNotContained, "NotContained", err)
	}
	fail(exitNotStarted, "NotStarted", fmt.Errorf("%s: %w", program, syscall.Exec(program, wanted.command, os.Environ())))
}

func restrict(wanted policy) error {
	if err := closeInherited(); err != nil {
		return fmt.Errorf("close inherited files: %w", err)
	}
	// Both mechanisms need it, and it takes every set-user-ID program away.
	if err := prctl(prSetNoNewPrivs, 1, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	if err := applyLandlock(wanted); err != nil {
		return err
	}
	return applySeccomp(wanted)
}

func parse(args []string) (policy, error) {
	var wanted policy
	for at := 0; at < len(args); at++ {
		name := args[at]
		switch name {
		case "--udp":
			wanted.udp = true
			continue
		case "--unix":
			wanted.unix = true
			continue
		}
		if at+1 >= len(args) {
			return wanted, fmt.Errorf("%s needs a value, and `-- CMD` must follow", name)
		}
		if name == "--" {
			wanted.command = args[at+1:]
			return wanted, nil
		}
		at++
		var err error
		switch name {
		case "--ro":
			wanted.ro = append(wanted.ro, args[at])
		case "--exec":
			wanted.exec = append(wanted.exec, args[at])
		case "--rw":
			wanted.rw = append(wanted.rw, args[at])
		case "--connect":
			wanted.connect, err = appendPort(wanted.connect, args[at])
		case "--bind":
			wanted.bind, err = appendPort(wanted.bind, args[at])
		default:
			err = fmt.Errorf("unknown option %s", name)
		}
		if err != nil {
			return wanted, err
		}
	}
	return wanted, fmt.Errorf("there is no `-- CMD`")
}

// Port 0 would mean any port that the kernel picks: nobody is given that.
func appendPort(ports []uint64, text string) ([]uint64, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("%q is no port", text)
	}
	return append(ports, port), nil
}

// A file left open by the caller is beyond every rule.
func closeInherited() error {
	const sysCloseRange, cloexec = 436, 1 << 2
	_, _, errno := syscall.Syscall(sysCloseRange, 3, uintptr(^uint32(0)), cloexec)
	return errnoError(errno)
}

func prctl(option, arg2, arg3 uintptr) error {
	_, _, errno := syscall.Syscall6(syscall.SYS_PRCTL, option, arg2, arg3, 0, 0, 0)
	return errnoError(errno)
}

func errnoError(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// One line in the form of the platform's own logs; the command's log is where it is looked for.
func fail(code int, kind string, err error) {
	line, _ := json.Marshal(map[string]string{"level": "error", "type": kind, "message": "contain: " + err.Error()})
	fmt.Fprintln(os.Stderr, string(line))
	os.Exit(code)
}

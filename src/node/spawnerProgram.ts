/**
 * A small process that starts commands for a worker. A worker has far more memory, and a fork(2) copies the tables of all of it, while
 * nothing else runs in the worker. What a fork of Node cannot do either, and would take one more program before each command: tie the
 * command to its parent (prctl(2) PR_SET_PDEATHSIG), and lower the limit of open files, which Node raises for itself.
 *
 * It is told of commands on its stdin, each as four bytes with the length of what follows: fields that end with a NUL are the id, the
 * working directory, the files for stdin, stdout and stderr, the number of arguments, the arguments, and each `NAME=value` of the
 * environment. It answers with a line each: `s ID PID` once the program is executed, `f ID ERRNO` if it could not be, and
 * `x PID STATUS GROUP OTHERS` at its end: what wait(2) says, and 1 or 0 for whether another process of its group lives, and whether
 * anything may live that this process has started and that is not a command. The kernel gives it what commands leave behind for
 * children (prctl(2) PR_SET_CHILD_SUBREAPER): where it has none but commands, nothing is left behind by anybody.
 *
 * Called with the process id of the worker and the number of the system call prctl; see `ready` for what else it needs.
 */
export const spawnerProgram = `
use strict;
use Fcntl;
use POSIX ();
$0 = 'outlast-spawner';
my ($parent, $prctl) = map { $_ + 0 } @ARGV;
my ($self, $buffer, %living) = ($$, '');
my $adopts = 0;
# A signal for the worker may reach it, too, and is not for it: the worker ends what runs in its own time.
my @foreign_signals = qw(HUP INT QUIT TERM);

# Its end is that of all that it has started, and that of the worker is its own.
sub tie_to { syscall($prctl, 1, 9, 0, 0, 0) == 0 && getppid() == $_[0] }

sub answer {
  my $line = "@_\\n";
  while (length $line) {
    my $count = syswrite STDOUT, $line;
    exit 1 if !defined $count && $! != POSIX::EINTR();
    substr($line, 0, $count // 0) = '';
  }
}

sub has_others {
  return 1 unless $adopts;
  open my $file, '<', "/proc/$self/task/$self/children" or return 1;
  # Only this process can make a child vanish from the list, so it is whole.
  exists $living{$_} or return 1 for split ' ', <$file> // '';
  return 0;
}

sub reap {
  my @ended;
  while ((my $pid = waitpid -1, POSIX::WNOHANG()) > 0) {
    my $status = $?;
    # Later its id may be another's.
    my $group = kill(0, -$pid) || $! == POSIX::EPERM() ? 1 : 0;
    push @ended, [$pid, $status, $group] if delete $living{$pid};
  }
  return unless @ended;
  my $others = has_others;
  answer 'x', @$_, $others for @ended;
}

# A pipe whose reader is gone would hold up everybody.
sub output {
  sysopen my $file, $_[0], O_WRONLY | O_NONBLOCK or return;
  fcntl $file, F_SETFL, 0 or return;
  return $file;
}

sub execute {
  my ($teller, $files, $argv, $variables) = @_;
  $SIG{$_} = 'DEFAULT' for 'CHLD', @foreign_signals;
  POSIX::setsid();
  tie_to $self or POSIX::_exit(127);
  POSIX::dup2(fileno $files->[$_], $_) // POSIX::_exit(127) for 0 .. 2;
  %ENV = map { split /=/, $_, 2 } @$variables;
  exec { $argv->[0] } @$argv;
  syswrite $teller, pack 'l', $!;
  POSIX::_exit(127);
}

sub start {
  my ($id, $cwd, $in, $out, $err, $count, @variables) = @_;
  my @argv = splice @variables, 0, $count;
  my $refuse = sub { answer 'f', $id, $! + 0 };
  sysopen my $input, $in, O_RDONLY or return $refuse->();
  my $stdout = output $out or return $refuse->();
  my $stderr = output $err or return $refuse->();
  pipe my $told, my $teller or return $refuse->();
  chdir $cwd or return $refuse->();
  my $pid = fork();
  defined $pid or return $refuse->();
  execute $teller, [$input, $stdout, $stderr], \\@argv, \\@variables if $pid == 0;
  chdir '/';
  close $teller;
  # Nothing comes, and the pipe closes, once the program is executed.
  my $failure = '';
  1 until defined sysread $told, $failure, 4;
  if (length $failure) {
    waitpid $pid, 0;
    return answer 'f', $id, unpack 'l', $failure;
  }
  $living{$pid} = 1;
  answer 's', $id, $pid;
}

$SIG{$_} = 'IGNORE' for @foreign_signals;
tie_to $parent or exit 1;
$adopts = syscall($prctl, 36, 1, 0, 0, 0) == 0;
opendir my $descriptors, "/proc/$parent/fd" or exit 1;
pipe my $woken, my $waker or exit 1;
$SIG{CHLD} = sub { syswrite $waker, '.' };
answer 'ready';
while (1) {
  my $ready = '';
  vec($ready, $_, 1) = 1 for 0, fileno $woken;
  next if select($ready, undef, undef, undef) < 0;
  if (vec $ready, fileno $woken, 1) {
    sysread $woken, my $dots, 4096;
    reap;
  }
  next unless vec $ready, 0, 1;
  my $count = sysread STDIN, $buffer, 65536, length $buffer;
  next unless defined $count;
  exit 0 if $count == 0;
  while (length $buffer >= 4 && length $buffer >= 4 + unpack 'N', $buffer) {
    my $length = unpack 'N', $buffer;
    my @fields = split /\\0/, substr($buffer, 4, $length), -1;
    substr($buffer, 0, 4 + $length) = '';
    pop @fields;
    start @fields;
  }
}
`;

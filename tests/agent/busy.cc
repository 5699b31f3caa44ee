// SPDX-License-Identifier: GPL-2.0-only
// A program that calls much of libc and libstdc++ and prints the same text every time:
// strings, numbers, sorting, files, signals, threads, children, exceptions.
#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fnmatch.h>
#include <glob.h>
#include <locale.h>
#include <pthread.h>
#include <regex.h>
#include <search.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

static unsigned state = 12345;
static unsigned next()
{
	return state = state * 1103515245 + 12345;
}

static volatile sig_atomic_t signals;
static void on_signal(int)
{
	char b[32];
	snprintf(b, sizeof(b), "%d", signals);
	signals++;
}

static int by_value(const void *a, const void *b)
{
	unsigned x = *static_cast<const unsigned *>(a),
		 y = *static_cast<const unsigned *>(b);
	return (x > y) - (x < y);
}

static unsigned long sum(const char *s)
{
	unsigned long h = 5381;
	while (*s)
		h = h * 33 + static_cast<unsigned char>(*s++);
	return h;
}

static void numbers()
{
	char b[256];
	double total = 0;
	for (int i = 0; i < 200; i++) {
		snprintf(b, sizeof(b), "%d %x %g %s %8.3f %c", i, next(), i / 7.0, "text",
			 i * 1.1, 'a' + i % 26);
		total += strtod("3.25e2", nullptr) + atof("1.5") +
			 strtol("1234", nullptr, 10);
		int n;
		double d;
		char w[20];
		sscanf("42 2.5 word", "%d %lf %19s", &n, &d, w);
		total += n + d + static_cast<double>(strlen(w)) +
			 static_cast<double>(sum(b) % 97);
	}
	std::cout << "numbers " << total << "\n";
}

static void sorting()
{
	std::vector<unsigned> v(500);
	for (auto &x : v)
		x = next() % 1000;
	qsort(v.data(), v.size(), sizeof(unsigned), by_value);
	unsigned key = v[250];
	auto *found = static_cast<unsigned *>(
		bsearch(&key, v.data(), v.size(), sizeof(unsigned), by_value));
	std::map<std::string, int> m;
	for (unsigned x : v)
		m[std::to_string(x % 50)] += 1;
	unsigned long h = 0;
	for (auto &p : m)
		h = h * 31 + sum(p.first.c_str()) + static_cast<unsigned>(p.second);
	std::cout << "sorting " << *found << " " << h << "\n";
}

static void texts()
{
	char copy[] = "one,two;three four", *save = nullptr;
	unsigned long h = 0;
	for (char *w = strtok_r(copy, ",; ", &save); w;
	     w = strtok_r(nullptr, ",; ", &save))
		h += sum(w);
	char *d = strdup("duplicate");
	h += static_cast<unsigned long>(strcasecmp(d, "DUPLICATE")) + strcspn(d, "c") +
	     (strstr(d, "lic") != nullptr);
	free(d);
	regex_t re;
	regcomp(&re, "^([a-z]+)=([0-9]+)$", REG_EXTENDED);
	regmatch_t match[3];
	h += !regexec(&re, "key=123", 3, match, 0)
		     ? static_cast<unsigned long>(match[2].rm_so)
		     : 99;
	regfree(&re);
	h += static_cast<unsigned long>(fnmatch("*.c", "file.c", 0));
	wchar_t wide[64];
	h += mbstowcs(wide, "wide text", 64) + wcslen(wide);
	std::ostringstream o;
	for (int i = 0; i < 100; i++)
		o << i << ' ' << std::hex << i * i << std::dec << ',';
	h += sum(o.str().c_str());
	std::istringstream in("1 2 3 4 5");
	int x, s = 0;
	while (in >> x)
		s += x;
	std::cout << "texts " << h << " " << s << "\n";
}

static void memory()
{
	std::vector<void *> v;
	for (int i = 0; i < 300; i++)
		v.push_back(malloc(next() % 5000 + 1));
	for (int i = 0; i < 300; i += 2)
		v[static_cast<size_t>(i)] =
			realloc(v[static_cast<size_t>(i)], next() % 9000 + 1);
	for (void *p : v)
		free(p);
	auto *c = static_cast<char *>(calloc(100, 10));
	int zero = 0;
	for (int i = 0; i < 1000; i++)
		zero += c[i];
	free(c);
	std::cout << "memory " << zero << "\n";
}

static void files()
{
	char name[] = "/tmp/busy-XXXXXX";
	int fd = mkstemp(name);
	FILE *f = fdopen(fd, "w+");
	for (int i = 0; i < 100; i++)
		fprintf(f, "line %d of the file\n", i);
	rewind(f);
	char line[80];
	unsigned long h = 0;
	while (fgets(line, sizeof(line), f))
		h += sum(line);
	struct stat st;
	fstat(fd, &st);
	fclose(f);
	std::ifstream in(name);
	std::string word;
	while (in >> word)
		h += word.size();
	unlink(name);
	std::cout << "files " << h << " " << st.st_size << "\n";
}

static void throwing()
{
	int caught = 0;
	for (int i = 0; i < 50; i++) {
		try {
			if (i % 2)
				throw std::runtime_error("x");
			(void)std::vector<int>().at(static_cast<size_t>(i));
		} catch (const std::out_of_range &) {
			caught += 1;
		} catch (const std::exception &) {
			caught += 100;
		}
	}
	jmp_buf jump;
	volatile int jumps = 0;
	if (setjmp(jump) < 5) {
		jumps = jumps + 1;
		longjmp(jump, jumps);
	}
	std::cout << "throwing " << caught << " " << jumps << "\n";
}

static void signalling()
{
	signal(SIGUSR1, on_signal);
	for (int i = 0; i < 20; i++)
		raise(SIGUSR1);
	std::cout << "signals " << signals << "\n";
}

static void threads()
{
	std::vector<std::thread> t;
	std::vector<unsigned long> h(8);
	for (size_t i = 0; i < 8; i++)
		t.emplace_back([&h, i] {
			char b[64];
			for (int k = 0; k < 100; k++) {
				snprintf(b, sizeof(b), "%zu %d", i, k);
				h[i] += sum(b);
				std::string s(b);
				h[i] += s.find(' ');
			}
		});
	for (auto &x : t)
		x.join();
	unsigned long all = 0;
	for (unsigned long x : h)
		all += x;
	std::cout << "threads " << all << "\n";
}

static void children()
{
	std::cout.flush();
	pid_t pid = fork();
	if (!pid) {
		char b[32];
		snprintf(b, sizeof(b), "%d", 3);
		_exit(atoi(b));
	}
	int status;
	waitpid(pid, &status, 0);
	FILE *p = popen("echo from a shell", "r");
	char line[80] = "";
	if (!fgets(line, sizeof(line), p))
		line[0] = 0;
	int closed = pclose(p);
	std::cout << "children " << WEXITSTATUS(status) << " " << closed << " " << line;
	std::cout.flush();
	int rc = system("exit 4");
	std::cout << "system " << WEXITSTATUS(rc) << "\n";
}

static void times()
{
	struct tm tm;
	time_t t = 86400 * 365;
	char b[64];
	gmtime_r(&t, &tm);
	strftime(b, sizeof(b), "%Y-%m-%d %H:%M:%S", &tm);
	std::cout << "times " << b << " " << getenv("LD_PRELOAD") << "\n";
}

int main(int argc, char **argv)
{
	setenv("TZ", "UTC", 1);
	if (!getenv("LD_PRELOAD"))
		setenv("LD_PRELOAD", "", 1);
	numbers();
	sorting();
	texts();
	memory();
	files();
	throwing();
	signalling();
	times();
	if (argc > 1) {
		threads();
		children();
	}
	(void)argv;
	return 5;
}

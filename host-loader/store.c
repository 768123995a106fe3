// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What outlives the daemon
 *
 * Each port has a folder in bpffs, and everything the port has is pinned there:
 *
 *   port           a record of the port itself (struct store_port)
 *   map-H          the map with handle H
 *   gone-H         a map that its tenant freed while programs use it
 *   prog-H         the program with handle H
 *   counters-H     its counters
 *   src-H          its record (struct store_prog), with the tenant's own
 *                  instructions behind it; pinned last, so that a record never
 *                  says more of the program than is true
 *   norm, link     the normaliser's link and the tenant's
 *   norm-state     what the host's own programs know of the port, and count
 *   pair-out, pair-in
 *                  links at the ends of the veth pair (turn.c), if there is one
 *
 * A record is the only value of an array map: the kernel keeps it, with the
 * same lifetime and the same owner as the objects beside it. What the kernel
 * knows itself is not recorded: a map's sizes come from the map, and the
 * attached program is the one behind the link.
 *
 * The folder is made with the port's first object and goes with its last.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "kern.h"
#include "log.h"
#include "store.h"

#define STORE_VERSION	2
#define STORE_PORT	"port"
#define STORE_NEW	"new"	/* a program's pin before it takes its place */
#define STORE_SPARE	256	/* fds that are needed beside those of what is pinned */
#define STORE_PATH_LEN	(sizeof(((struct port *)0)->dir) + 32)

/**
 * struct store_port - record of a port
 * @version: STORE_VERSION
 * @next_handle: as in struct port
 * @uid: whose objects these are
 * @mac: of the NIC that they are for
 * @pad: zero
 * @tap: that they were attached to
 */
struct store_port {
	uint32_t version;
	uint32_t next_handle;
	uint32_t uid;
	uint8_t mac[VIRTIO_BPF_MAC_LEN];
	uint8_t pad[2];
	char tap[IF_NAMESIZE];
};

/**
 * struct store_prog - record of a program; its instructions follow
 * @version: STORE_VERSION
 * @insn_cnt: instructions that follow
 * @host_insn_cnt: as in struct prog
 * @tap_ifindex: as in struct prog
 * @window: as in struct prog
 * @reach: as in struct prog
 * @ifindex: as in struct wire_prog
 * @form: as in struct prog
 * @level: as in struct prog
 * @pad: zero
 * @tag: as in struct wire_prog
 * @name: as in struct wire_prog
 */
struct store_prog {
	uint32_t version;
	uint32_t insn_cnt;
	uint32_t host_insn_cnt;
	uint32_t tap_ifindex;
	uint32_t window;
	uint32_t reach;
	uint32_t ifindex;
	uint8_t form;
	uint8_t level;
	uint8_t pad[2];
	uint8_t tag[VIRTIO_BPF_TAG_LEN];
	char name[VIRTIO_BPF_NAME_LEN];
};

/**
 * store_path() - path of a pin
 * @port: the port
 * @out: set to the path
 * @fmt: the pin's name, as for printf()
 */
static void __attribute__((format(printf, 3, 4)))
store_path(const struct port *port, char out[STORE_PATH_LEN], const char *fmt, ...)
{
	size_t len = strlen(port->dir);
	va_list ap;

	memcpy(out, port->dir, len);
	out[len++] = '/';
	va_start(ap, fmt);
	vsnprintf(out + len, STORE_PATH_LEN - len, fmt, ap);
	va_end(ap);
}

/**
 * store_record_new() - create a map that holds one record
 * @name: for people who look with bpftool
 * @data: the record
 * @size: bytes of @data
 *
 * Return: its fd, or a negative errno
 */
static int store_record_new(const char *name, const void *data, size_t size)
{
	uint32_t key = 0;
	int fd, err;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(key), (uint32_t)size, 1, NULL);
	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(fd, &key, data, BPF_ANY);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/**
 * store_record_read() - read a record
 * @fd: of its map
 * @record: set to it, for free(), or to NULL
 * @size: set to its bytes
 * @min: bytes that it must have
 *
 * Return: 0, or a negative errno; -EINVAL if it is none
 */
static int store_record_read(int fd, void **record, size_t *size, size_t min)
{
	struct wire_map def;
	uint32_t key = 0;
	void *data = NULL;
	int err = kern_map_info(fd, &def, NULL);

	if (!err && (def.type != BPF_MAP_TYPE_ARRAY || def.max_entries != 1 ||
		     def.value_size < min))
		err = -EINVAL;
	if (!err) {
		data = malloc(def.value_size);
		err = data ? bpf_map_lookup_elem(fd, &key, data) : -ENOMEM;
	}
	if (err) {
		free(data);
		data = NULL;
	}
	*record = data;
	*size = data ? def.value_size : 0;
	return err;
}

/**
 * store_pin() - pin an object in the port's folder
 * @port: the port; its folder is there
 * @name: of the pin
 * @fd: the object
 *
 * Return: 0, or a negative errno
 */
int store_pin(struct port *port, const char *name, int fd)
{
	char path[STORE_PATH_LEN];

	store_path(port, path, "%s", name);
	return bpf_obj_pin(fd, path);
}

/**
 * store_is_short() - does an error say nothing about what was to be read?
 * @err: a negative errno
 *
 * Return: whether it says that this process lacks something just now
 */
bool store_is_short(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE || err == -EAGAIN ||
	       err == -EINTR;
}

/**
 * store_get() - open a pinned object
 * @port: the port
 * @name: of the pin
 *
 * Return: the fd, or a negative errno
 */
int store_get(struct port *port, const char *name)
{
	char path[STORE_PATH_LEN];

	store_path(port, path, "%s", name);
	return bpf_obj_get(path);
}

/**
 * store_unpin() - take a pin away, if it is there
 * @port: the port
 * @name: of the pin
 */
void store_unpin(struct port *port, const char *name)
{
	char path[STORE_PATH_LEN];

	store_path(port, path, "%s", name);
	if (unlink(path) && errno != ENOENT)
		log_msg(LOG_ERR, port->conf->name, "cannot remove %s: %s", path, strerror(errno));
}

/**
 * store_write_port() - write the port's record, with its folder if need be
 * @port: the port
 *
 * Return: 0, or a negative errno
 */
static int store_write_port(struct port *port)
{
	struct store_port record = {
		.version = STORE_VERSION,
		.next_handle = port->next_handle,
		.uid = port->conf->uid,
	};
	uint32_t key = 0;
	int fd, err;

	memcpy(record.mac, port->conf->mac, sizeof(record.mac));
	memcpy(record.tap, port->conf->tap, sizeof(record.tap));
	if (port->record >= 0)
		return bpf_map_update_elem(port->record, &key, &record, BPF_ANY);
	if (mkdir(port->dir, 0700) && errno != EEXIST)
		return -errno;
	fd = store_record_new("vbpf_port", &record, sizeof(record));
	if (fd < 0)
		return fd;
	err = store_pin(port, STORE_PORT, fd);
	if (err) {
		close(fd);
		return err;
	}
	port->record = fd;
	return 0;
}

/**
 * store_handle() - choose a handle that no restart will give again
 * @port: the port; its folder is there afterwards
 * @handle: set
 *
 * Return: 0, or a negative errno
 */
int store_handle(struct port *port, uint32_t *handle)
{
	*handle = port_new_handle(port);
	return store_write_port(port);
}

/**
 * store_map() - keep a new map
 * @port: the port
 * @map: the map
 *
 * Return: 0, or a negative errno
 */
int store_map(struct port *port, const struct map *map)
{
	char name[32];

	snprintf(name, sizeof(name), "map-%u", map->handle);
	return store_pin(port, name, map->fd);
}

/**
 * store_map_gone() - keep a map without its handle, for the programs that use it
 * @port: the port
 * @map: the map
 *
 * Return: 0, or a negative errno
 */
int store_map_gone(struct port *port, const struct map *map)
{
	char from[STORE_PATH_LEN], to[STORE_PATH_LEN];

	store_path(port, from, "map-%u", map->handle);
	store_path(port, to, "gone-%u", map->handle);
	return rename(from, to) ? -errno : 0;
}

/**
 * store_drop_map() - forget a map
 * @port: the port
 * @map: the map
 */
void store_drop_map(struct port *port, const struct map *map)
{
	char name[32];

	snprintf(name, sizeof(name), "%s-%u", map->gone ? "gone" : "map", map->handle);
	store_unpin(port, name);
}

/**
 * store_prog_record() - make the record of a program
 * @prog: the program
 *
 * Return: the fd of its map, or a negative errno
 */
static int store_prog_record(const struct prog *prog)
{
	size_t insns_size = prog->src.insn_cnt * sizeof(*prog->src.insns);
	struct store_prog head = {
		.version = STORE_VERSION,
		.insn_cnt = prog->src.insn_cnt,
		.host_insn_cnt = prog->host_insn_cnt,
		.tap_ifindex = prog->tap_ifindex,
		.window = prog->window,
		.reach = prog->reach,
		.ifindex = prog->src.ifindex,
		.form = prog->form,
		.level = prog->level,
	};
	char *data = malloc(sizeof(head) + insns_size);
	int fd;

	if (!data)
		return -ENOMEM;
	memcpy(head.tag, prog->src.tag, sizeof(head.tag));
	memcpy(head.name, prog->src.name, sizeof(head.name));
	memcpy(data, &head, sizeof(head));
	memcpy(data + sizeof(head), prog->src.insns, insns_size);
	fd = store_record_new("vbpf_prog", data, sizeof(head) + insns_size);
	free(data);
	return fd;
}

/**
 * store_prog() - keep a program, new or translated anew
 * @port: the port
 * @prog: the program; its counters' fd is open
 *
 * Return: 0, or a negative errno; a program that is new is then not kept
 */
int store_prog(struct port *port, const struct prog *prog)
{
	const struct {
		const char *name;
		int fd;
	} pins[] = {
		{ "prog", prog->fd },
		{ "counters", prog->counters },
		{ "src", store_prog_record(prog) },
	};
	char path[STORE_PATH_LEN], new[STORE_PATH_LEN];
	int err = pins[2].fd < 0 ? pins[2].fd : 0;

	store_path(port, new, STORE_NEW);
	for (int i = 0; i < 3 && !err; i++) {
		store_path(port, path, "%s-%u", pins[i].name, prog->handle);
		err = bpf_obj_pin(pins[i].fd, new);
		if (!err && rename(new, path)) {
			err = -errno;
			unlink(new);
		}
	}
	if (pins[2].fd >= 0)
		close(pins[2].fd);
	return err;
}

/**
 * store_drop_prog() - forget a program
 * @port: the port
 * @prog: the program
 */
void store_drop_prog(struct port *port, const struct prog *prog)
{
	static const char *const names[] = { "prog", "counters", "src" };
	char name[32];

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s-%u", names[i], prog->handle);
		store_unpin(port, name);
	}
}

/**
 * store_clear() - remove the port's folder with all that is pinned in it
 * @port: the port
 */
void store_clear(struct port *port)
{
	DIR *dir = opendir(port->dir);
	struct dirent *entry;

	port_close_fd(&port->record);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (*entry->d_name != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	if (rmdir(port->dir))
		log_msg(LOG_ERR, port->conf->name, "cannot remove %s: %s", port->dir,
			strerror(errno));
}

/**
 * store_recover_map() - take a pinned map back
 * @port: the port
 * @name: of the pin
 * @handle: of the map
 * @gone: its tenant has freed it
 *
 * Return: 0, or a negative errno
 */
static int store_recover_map(struct port *port, const char *name, uint32_t handle, bool gone)
{
	struct map *map = calloc(1, sizeof(*map));
	int err;

	if (!map)
		return -ENOMEM;
	map->handle = handle;
	map->gone = gone;
	map->fd = store_get(port, name);
	if (map->fd < 0) {
		err = map->fd;
		free(map);
		return err;
	}
	err = kern_map_info(map->fd, &map->def, NULL);
	if (!err)
		err = port_map_bytes(&map->def, kern_cpus(), &map->bytes);
	if (err) {
		close(map->fd);
		free(map);
		return err;
	}
	err = kern_map_bytes(map->fd, &map->bytes);
	if (err)
		log_msg(LOG_ERR, port->conf->name, "cannot read the size of map %u in /proc, which"
			" counts as %llu bytes: %s", handle, (unsigned long long)map->bytes,
			strerror(-err));
	port_add_map(port, map);
	return 0;
}

/**
 * store_recover_src() - take a program's record back
 * @port: the port
 * @prog: filled from the record; its handle is set
 *
 * Return: 0, or a negative errno
 */
static int store_recover_src(struct port *port, struct prog *prog)
{
	const struct store_prog *record;
	char name[32];
	size_t size, insns_size;
	void *data;
	int fd, err;

	snprintf(name, sizeof(name), "src-%u", prog->handle);
	fd = store_get(port, name);
	if (fd < 0)
		return fd;
	err = store_record_read(fd, &data, &size, sizeof(*record));
	close(fd);
	if (err)
		return err;
	record = data;
	err = -EINVAL;
	insns_size = size - sizeof(*record);
	if (record->version != STORE_VERSION || !record->insn_cnt ||
	    record->insn_cnt > VIRTIO_BPF_MAX_INSNS ||
	    insns_size != record->insn_cnt * sizeof(*prog->src.insns))
		goto out;
	err = -ENOMEM;
	prog->src.insns = malloc(insns_size);
	if (!prog->src.insns)
		goto out;
	memcpy(prog->src.insns, record + 1, insns_size);
	memcpy(prog->src.tag, record->tag, sizeof(prog->src.tag));
	memcpy(prog->src.name, record->name, sizeof(prog->src.name));
	prog->src.name[sizeof(prog->src.name) - 1] = 0;
	prog->src.insn_cnt = record->insn_cnt;
	prog->src.ifindex = record->ifindex;
	prog->host_insn_cnt = record->host_insn_cnt;
	prog->tap_ifindex = record->tap_ifindex;
	prog->window = record->window;
	prog->reach = record->reach;
	prog->form = record->form;
	prog->level = record->level;
	err = 0;
out:
	free(data);
	return err;
}

/**
 * store_recover_prog() - take a pinned program back
 * @port: the port; its maps are back already
 * @handle: of the program
 *
 * Return: 0, or a negative errno
 */
static int store_recover_prog(struct port *port, uint32_t handle)
{
	struct prog *prog = port_prog_new();
	char name[32];
	int err;

	if (!prog)
		return -ENOMEM;
	prog->handle = handle;
	err = store_recover_src(port, prog);
	if (!err)
		err = port_use_maps(port, prog);
	if (err)
		goto fail;
	snprintf(name, sizeof(name), "counters-%u", handle);
	prog->counters = store_get(port, name);
	snprintf(name, sizeof(name), "prog-%u", handle);
	prog->fd = store_get(port, name);
	err = prog->counters < 0 ? prog->counters : prog->fd;
	if (err < 0)
		goto fail;
	err = kern_prog_info(prog->fd, &prog->id, &prog->verified);
	if (err)
		goto fail;
	port_add_prog(port, prog);
	return 0;
fail:
	port_prog_free(prog);
	return err;
}

/* What a walk through the folder is after */
enum store_pass {
	STORE_PASS_MAPS,	/* take maps back */
	STORE_PASS_PROGS,	/* take programs back */
	STORE_PASS_SWEEP,	/* remove what belongs to no object */
};

/**
 * store_recover_entry() - look at one pin
 * @port: the port
 * @name: of the pin
 * @pass: what to look for
 *
 * Return: 0, or the negative errno for want of which it could not be read
 */
static int store_recover_entry(struct port *port, const char *name, enum store_pass pass)
{
	unsigned int handle = 0;
	char kind[16] = "";
	bool is_map, is_prog, orphan;
	int err = 0;

	sscanf(name, "%15[a-z]-%u", kind, &handle);
	is_map = handle && (!strcmp(kind, "map") || !strcmp(kind, "gone"));
	is_prog = handle && !strcmp(kind, "prog");
	orphan = handle && !port_prog(port, handle) &&
		 (!strcmp(kind, "src") || !strcmp(kind, "counters"));
	if (is_map && pass == STORE_PASS_MAPS)
		err = store_recover_map(port, name, handle, *kind == 'g');
	else if (is_prog && pass == STORE_PASS_PROGS)
		err = store_recover_prog(port, handle);
	else if (pass == STORE_PASS_SWEEP && (orphan || !strcmp(name, STORE_NEW)))
		store_unpin(port, name);
	if (store_is_short(err)) {
		log_msg(LOG_ERR, port->conf->name, "%s/%s cannot be read now: %s", port->dir, name,
			strerror(-err));
		return err;
	}
	if (err) {
		log_msg(LOG_ERR, port->conf->name, "%s/%s is unusable and removed: %s",
			port->dir, name, strerror(-err));
		store_unpin(port, name);
	}
	return 0;
}

/**
 * store_recover_port() - take the port's record back
 * @port: the port
 *
 * What another tenant left must not be handed to this one.
 *
 * Return: 0 if what is in the folder is this port's, or a negative errno
 */
static int store_recover_port(struct port *port)
{
	const struct conf_port *conf = port->conf;
	const struct store_port *record;
	size_t size;
	void *data;
	int err;

	port->record = store_get(port, STORE_PORT);
	if (port->record < 0)
		return port->record;
	err = store_record_read(port->record, &data, &size, sizeof(*record));
	if (err)
		return err;
	record = data;
	if (size == sizeof(*record) && record->version == STORE_VERSION &&
	    record->uid == conf->uid && !memcmp(record->mac, conf->mac, sizeof(record->mac)) &&
	    !strncmp(record->tap, conf->tap, sizeof(record->tap)))
		port->next_handle = record->next_handle;
	else
		err = -ESTALE;
	free(data);
	return err;
}

/**
 * store_recover() - take back what a daemon before this one left
 * @port: the port, empty; gets its record, programs and maps, among them such
 *        as map_sweep() is for. Links are for attach_recover()
 *
 * Return: 0, or a negative errno: what is there cannot be read for want of
 * memory or fds. Nothing was removed then, and the port is not fit for use
 */
int store_recover(struct port *port)
{
	DIR *dir = opendir(port->dir);
	struct dirent *entry;
	int err;

	if (!dir)
		return store_is_short(-errno) ? -errno : 0;
	err = store_recover_port(port);
	if (err && !store_is_short(err)) {
		log_msg(LOG_WARNING, port->conf->name,
			"%s was left by another owner, MAC, TAP or version: removed", port->dir);
		closedir(dir);
		store_clear(port);
		return 0;
	}
	for (enum store_pass pass = STORE_PASS_MAPS; pass <= STORE_PASS_SWEEP && !err; pass++) {
		rewinddir(dir);
		while (!err && (entry = readdir(dir)))
			err = store_recover_entry(port, entry->d_name, pass);
	}
	closedir(dir);
	return err;
}

/**
 * store_count() - count what is in a folder
 * @path: of the folder
 * @deep: count what is in its folders instead
 *
 * Return: the number, 0 for a folder that cannot be read
 */
static size_t store_count(const char *path, bool deep)
{
	DIR *dir = opendir(path);
	char sub[STORE_PATH_LEN];
	struct dirent *entry;
	size_t cnt = 0;

	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		if (!deep)
			cnt++;
		else if (snprintf(sub, sizeof(sub), "%s/%s", path, entry->d_name) <
			 (int)sizeof(sub))
			cnt += store_count(sub, false);
	}
	if (dir)
		closedir(dir);
	return cnt;
}

/**
 * store_room() - may this process open all that is pinned?
 * @bpffs: the folder of all ports
 * @why: a sentence if not
 *
 * Said here with figures, and not by the first pin that is one too many.
 *
 * Return: 0, or -EMFILE with @why
 */
static int store_room(const char *bpffs, struct text *why)
{
	size_t cnt = store_count(bpffs, true);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || cnt + STORE_SPARE <= limit.rlim_cur)
		return 0;
	text_add(why, "%zu objects are pinned in %s, and this daemon may open no more than %llu"
		 " files: raise that limit (LimitNOFILE= of its service)\n", cnt, bpffs,
		 (unsigned long long)limit.rlim_cur);
	return -EMFILE;
}

/**
 * store_open() - make sure that the folder of all ports is there
 * @bpffs: the folder; made if its parent is in a bpffs
 * @why: a sentence if it cannot be used
 *
 * Return: 0, or a negative errno with @why
 */
int store_open(const char *bpffs, struct text *why)
{
	bool made = !mkdir(bpffs, 0700);
	struct statfs fs;

	if (!made && errno != EEXIST) {
		text_add(why, "cannot make %s: %s; mount a bpffs there (mount -t bpf bpf"
			 " FOLDER) that this user may write to\n", bpffs, strerror(errno));
		return -EINVAL;
	}
	if (statfs(bpffs, &fs)) {
		text_add(why, "cannot use %s: %s\n", bpffs, strerror(errno));
		return -EINVAL;
	}
	if (fs.f_type != BPF_FS_MAGIC) {
		text_add(why, "%s is in no bpffs, where state could outlive this daemon; mount"
			 " one (mount -t bpf bpf FOLDER)\n", bpffs);
		if (made)
			rmdir(bpffs);
		return -EINVAL;
	}
	if (access(bpffs, W_OK | X_OK)) {
		text_add(why, "cannot write to %s: %s\n", bpffs, strerror(errno));
		return -EINVAL;
	}
	return store_room(bpffs, why);
}

/**
 * store_report() - tell the operator of folders that no port has
 * @bpffs: the folder of all ports
 * @conf: the ports
 */
void store_report(const char *bpffs, const struct conf *conf)
{
	DIR *dir = opendir(bpffs);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		size_t i;

		if (*entry->d_name == '.')
			continue;
		for (char *p = entry->d_name; *p; p++)
			if (*p == '~')
				*p = '.';
		for (i = 0; i < conf->port_cnt; i++)
			if (!strcmp(conf->ports[i].name, entry->d_name))
				break;
		if (i == conf->port_cnt)
			log_msg(LOG_WARNING, entry->d_name,
				"the port is not configured any more; what it has in %s goes on"
				" working until its folder is removed there", bpffs);
	}
	closedir(dir);
}

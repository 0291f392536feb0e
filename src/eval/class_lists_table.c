/* The built-in class lists. SPDX-License-Identifier: Apache-2.0
 *
 * Names are facts of the data sets and of how the field prompts for them; where each list is from stands
 * above it. */
#include "eval/class_lists.h"

/* MaskCLIP, tools/maskclip_utils/prompt_engineering.py. Values: VOC 2012's order of classes, which is that of
 * their official names. */
#define VOC20                                                                                                \
    "airplane\nbicycle\nbird\nboat\nbottle\nbus\ncar\ncat\nchair\ncow\ndining table\ndog\nhorse\n"           \
    "motorbike\nperson\npotted plant\nsheep\nsofa\ntrain\ntv monitor\n"

/* The data set's own spelling: VOC 2012 development kit, VOCinit.m; the same in mmsegmentation. */
#define VOC20_OFFICIAL                                                                                       \
    "aeroplane\nbicycle\nbird\nboat\nbottle\nbus\ncar\ncat\nchair\ncow\ndiningtable\ndog\nhorse\n"           \
    "motorbike\nperson\npottedplant\nsheep\nsofa\ntrain\ntvmonitor\n"

/* MaskCLIP; the same 59 as in CLIP Surgery's demo.py. In alphabetical order, and so are the values of label
 * maps that the converters of the detail annotations write (mmsegmentation, tools/dataset_converters/
 * pascal_context.py: the raw ids in rising order). */
#define CONTEXT59                                                                                            \
    "airplane\nbag\nbed\nbedclothes\nbench\nbicycle\nbird\nboat\nbook\nbottle\nbuilding\nbus\ncabinet\n"     \
    "car\ncat\nceiling\nchair\ncloth\ncomputer\ncow\ncup\ncurtain\ndog\ndoor\nfence\nfloor\nflower\nfood\n"  \
    "grass\nground\nhorse\nkeyboard\nlight\nmotorbike\nmountain\nmouse\nperson\nplate\nplatform\n"           \
    "potted plant\nroad\nrock\nsheep\nshelves\nsidewalk\nsign\nsky\nsnow\nsofa\ntable\ntrack\ntrain\ntree\n" \
    "truck\ntv monitor\nwall\nwater\nwindow\nwood\n"

/* The same classes with the values of the data set's 59_labels.txt, where VOC's twenty come first (also in
 * FCN, data/pascal-context/classes-59.txt). */
#define CONTEXT59_OFFICIAL_VALUES                                                                            \
    "1 21-22 52 23 2-4 24 5 25 6 26 7-8 27 9 28-29 10 30 42 12 31-37 13 38-39 14 40-41 15 45 43 16 46-47 "   \
    "17 48-49 44 50-51 18 11 53 19 54-55 20 56-59"

/* COCO's categories, in the order of their ids (cocodataset.org). */
#define COCO80                                                                                               \
    "person\nbicycle\ncar\nmotorcycle\nairplane\nbus\ntrain\ntruck\nboat\ntraffic light\nfire hydrant\n"     \
    "stop sign\nparking meter\nbench\nbird\ncat\ndog\nhorse\nsheep\ncow\nelephant\nbear\nzebra\ngiraffe\n"   \
    "backpack\numbrella\nhandbag\ntie\nsuitcase\nfrisbee\nskis\nsnowboard\nsports ball\nkite\n"              \
    "baseball bat\nbaseball glove\nskateboard\nsurfboard\ntennis racket\nbottle\nwine glass\ncup\nfork\n"    \
    "knife\nspoon\nbowl\nbanana\napple\nsandwich\norange\nbroccoli\ncarrot\nhot dog\npizza\ndonut\ncake\n"   \
    "chair\ncouch\npotted plant\nbed\ndining table\ntoilet\ntv\nlaptop\nmouse\nremote\nkeyboard\n"           \
    "cell phone\nmicrowave\noven\ntoaster\nsink\nrefrigerator\nbook\nclock\nvase\nscissors\nteddy bear\n"    \
    "hair drier\ntoothbrush\n"

#define COCO80_VALUES "1-11 13-25 27-28 31-44 46-65 67 70 72-82 84-90"

/* MaskCLIP: COCO's things, then the 91 kinds of stuff of COCO-Stuff's labels.txt, "wall-brick" said as
 * "brick wall" and "water-other" as "water". */
#define COCO_STUFF171                                                                                        \
    COCO80                                                                                                   \
    "banner\nblanket\nbranch\nbridge\nbuilding\nbush\ncabinet\ncage\ncardboard\ncarpet\nceiling\n"           \
    "tile ceiling\ncloth\nclothes\nclouds\ncounter\ncupboard\ncurtain\ndesk\ndirt\ndoor\nfence\n"            \
    "marble floor\nfloor\nstone floor\ntile floor\nwood floor\nflower\nfog\nfood\nfruit\nfurniture\ngrass\n" \
    "gravel\nground\nhill\nhouse\nleaves\nlight\nmat\nmetal\nmirror\nmoss\nmountain\nmud\nnapkin\nnet\n"     \
    "paper\npavement\npillow\nplant\nplastic\nplatform\nplayingfield\nrailing\nrailroad\nriver\nroad\nrock"  \
    "\n"                                                                                                     \
    "roof\nrug\nsalad\nsand\nsea\nshelf\nsky\nskyscraper\nsnow\nsolid\nstairs\nstone\nstraw\nstructural\n"   \
    "table\ntent\ntextile\ntowel\ntree\nvegetable\nbrick wall\nconcrete wall\nwall\npanel wall\n"            \
    "stone wall\ntile wall\nwood wall\nwater\nwaterdrops\nblind window\nwindow\nwood\n"

/* COCO's panoptic categories (panopticapi, panoptic_coco_categories.json), the stuff said in the same way:
 * "wall-other-merged" as "wall". */
#define COCO_PANOPTIC133                                                                                     \
    COCO80                                                                                                   \
    "banner\nblanket\nbridge\ncardboard\ncounter\ncurtain\ndoor\nwood floor\nflower\nfruit\ngravel\n"        \
    "house\nlight\nmirror\nnet\npillow\nplatform\nplayingfield\nrailroad\nriver\nroad\nroof\nsand\nsea\n"    \
    "shelf\nsnow\nstairs\ntent\ntowel\nbrick wall\nstone wall\ntile wall\nwood wall\nwater\n"                \
    "blind window\nwindow\ntree\nfence\nceiling\nsky\ncabinet\ntable\nfloor\npavement\nmountain\ngrass\n"    \
    "dirt\npaper\nfood\nbuilding\nrock\nwall\nrug\n"

#define COCO_PANOPTIC133_VALUES                                                                              \
    COCO80_VALUES                                                                                            \
    " 92-93 95 100 107 109 112 118-119 122 125 128 130 133 138 141 144-145 147-149 151 154-156 159 161 166 " \
    "168 171 175-178 180-181 184-200"

/* cityscapesScripts, helpers/labels.py: the 19 classes that are evaluated, by train id, with their ids. */
#define CITYSCAPES19                                                                                         \
    "road\nsidewalk\nbuilding\nwall\nfence\npole\ntraffic light\ntraffic sign\nvegetation\nterrain\nsky\n"   \
    "person\nrider\ncar\ntruck\nbus\ntrain\nmotorcycle\nbicycle\n"

/* MaskCLIP and mmsegmentation (class_names.py): ADE20K's scene parsing benchmark. */
#define ADE150                                                                                               \
    "wall\nbuilding\nsky\nfloor\ntree\nceiling\nroad\nbed\nwindowpane\ngrass\ncabinet\nsidewalk\nperson\n"   \
    "earth\ndoor\ntable\nmountain\nplant\ncurtain\nchair\ncar\nwater\npainting\nsofa\nshelf\nhouse\nsea\n"   \
    "mirror\nrug\nfield\narmchair\nseat\nfence\ndesk\nrock\nwardrobe\nlamp\nbathtub\nrailing\ncushion\n"     \
    "base\nbox\ncolumn\nsignboard\nchest of drawers\ncounter\nsand\nsink\nskyscraper\nfireplace\n"           \
    "refrigerator\ngrandstand\npath\nstairs\nrunway\ncase\npool table\npillow\nscreen door\nstairway\n"      \
    "river\nbridge\nbookcase\nblind\ncoffee table\ntoilet\nflower\nbook\nhill\nbench\ncountertop\nstove\n"   \
    "palm\nkitchen island\ncomputer\nswivel chair\nboat\nbar\narcade machine\nhovel\nbus\ntowel\nlight\n"    \
    "truck\ntower\nchandelier\nawning\nstreetlight\nbooth\ntelevision receiver\nairplane\ndirt track\n"      \
    "apparel\npole\nland\nbannister\nescalator\nottoman\nbottle\nbuffet\nposter\nstage\nvan\nship\n"         \
    "fountain\nconveyer belt\ncanopy\nwasher\nplaything\nswimming pool\nstool\nbarrel\nbasket\nwaterfall\n"  \
    "tent\nbag\nminibike\ncradle\noven\nball\nfood\nstep\ntank\ntrade name\nmicrowave\npot\nanimal\n"        \
    "bicycle\nlake\ndishwasher\nscreen\nblanket\nsculpture\nhood\nsconce\nvase\ntraffic light\ntray\n"       \
    "ashcan\nfan\npier\ncrt screen\nplate\nmonitor\nbulletin board\nshower\nradiator\nglass\nclock\nflag\n"

/* ImageNet-S, data/data.py, in the order of the sorted WordNet ids, from which the values count. */
#define IMAGENET_S50                                                                                         \
    "goldfish\ntiger shark\ngoldfinch\ntree frog\nkuvasz\nred fox\nsiamese cat\namerican black bear\n"       \
    "ladybug\nsulphur butterfly\nwood rabbit\nhamster\nwild boar\ngibbon\nafrican elephant\ngiant panda\n"   \
    "airliner\nashcan\nballpoint\nbeach wagon\nboathouse\nbullet train\ncellular telephone\nchest\nclog\n"   \
    "container ship\ndigital watch\ndining table\ngolf ball\ngrand piano\niron\nlab coat\nmixing bowl\n"     \
    "motor scooter\npadlock\npark bench\npurse\nstreetcar\ntable lamp\ntelevision\ntoilet seat\numbrella\n"  \
    "vase\nwater bottle\nwater tower\nyawl\nstreet sign\nlemon\ncarbonara\nagaric\n"

/* NUS-Wide's Concepts81.txt, by which its files of labels are called (also in TaI-DPT, datasets/
 * data_helpers.py). */
#define NUS_WIDE81                                                                                           \
    "airport\nanimal\nbeach\nbear\nbirds\nboats\nbook\nbridge\nbuildings\ncars\ncastle\ncat\ncityscape\n"    \
    "clouds\ncomputer\ncoral\ncow\ndancing\ndog\nearthquake\nelk\nfire\nfish\nflags\nflowers\nfood\nfox\n"   \
    "frost\ngarden\nglacier\ngrass\nharbor\nhorses\nhouse\nlake\nleaf\nmap\nmilitary\nmoon\nmountain\n"      \
    "nighttime\nocean\nperson\nplane\nplants\npolice\nprotest\nrailroad\nrainbow\nreflection\nroad\nrocks\n" \
    "running\nsand\nsign\nsky\nsnow\nsoccer\nsports\nstatue\nstreet\nsun\nsunset\nsurf\nswimmers\ntattoo\n"  \
    "temple\ntiger\ntower\ntown\ntoy\ntrain\ntree\nvalley\nvehicle\nwater\nwaterfall\nwedding\nwhales\n"     \
    "window\nzebra\n"

const lancet_class_list lancet_class_lists[] = {
    {.about = {"voc20", "PASCAL VOC 2012 as MaskCLIP names it; values 1-20, 0 background, 255 ignored"},
     .names = VOC20,
     .values = "1-20",
     .background = "0",
     .ignored = "255"},
    {.about = {"voc20-official",
               "PASCAL VOC 2012 in its own spelling (aeroplane, tvmonitor); values as voc20"},
     .names = VOC20_OFFICIAL,
     .values = "1-20",
     .background = "0",
     .ignored = "255"},
    {.about = {"context59", "PASCAL Context as MaskCLIP names it; values 1-59 in alphabetical order, as "
                            "mmsegmentation converts it; 0 and 255 ignored"},
     .names = CONTEXT59,
     .values = "1-59",
     .background = "",
     .ignored = "0 255"},
    {.about = {"context59-official", "the same classes with the values of 59_labels.txt, VOC's twenty first"},
     .names = CONTEXT59,
     .values = CONTEXT59_OFFICIAL_VALUES,
     .background = "",
     .ignored = "0 255"},
    {.about = {"coco80", "COCO's things; values are category ids 1-90, 0 background, 255 ignored"},
     .names = COCO80,
     .values = COCO80_VALUES,
     .background = "0",
     .ignored = "255",
     .things = 80},
    {.about = {"coco-panoptic133",
               "COCO's things and stuff of panoptic maps; values are category ids 1-200, 0 and 255 ignored"},
     .names = COCO_PANOPTIC133,
     .values = COCO_PANOPTIC133_VALUES,
     .background = "",
     .ignored = "0 255",
     .things = 80},
    {.about = {"coco-stuff171",
               "COCO-Stuff as MaskCLIP names it; values are ids less 1 (0-181 with gaps), 255 "
               "ignored"},
     .names = COCO_STUFF171,
     .values = "0-10 12-24 26-27 30-43 45-64 66 69 71-81 83-89 91-181",
     .background = "",
     .ignored = "255",
     .things = 80},
    {.about = {"coco-stuff171-train", "the same classes with values 0-170, as mmsegmentation converts it"},
     .names = COCO_STUFF171,
     .values = "0-170",
     .background = "",
     .ignored = "255",
     .things = 80},
    {.about = {"cityscapes19",
               "Cityscapes' evaluated classes; values are label ids 7-33, the other ids ignored"},
     .names = CITYSCAPES19,
     .values = "7-8 11-13 17 19-28 31-33",
     .background = "",
     .ignored = "0-6 9-10 14-16 18 29-30 255"},
    {.about = {"cityscapes19-train", "the same classes with train ids 0-18, 255 ignored"},
     .names = CITYSCAPES19,
     .values = "0-18",
     .background = "",
     .ignored = "255"},
    {.about = {"ade150", "ADE20K's scene parsing benchmark; values 1-150, 0 (other) and 255 ignored"},
     .names = ADE150,
     .values = "1-150",
     .background = "",
     .ignored = "0 255"},
    {.about = {"imagenet-s50", "ImageNet-S-50; values 1-50 as R + 256 G, 0 background, 1000 ignored"},
     .names = IMAGENET_S50,
     .values = "1-50",
     .background = "0",
     .ignored = "1000",
     .red_green = true},
    {.about = {"nus-wide81", "NUS-Wide's concepts; of whole pictures"},
     .names = NUS_WIDE81,
     .values = "1-81",
     .background = "0",
     .ignored = ""},
};

const size_t lancet_class_lists_count = sizeof lancet_class_lists / sizeof *lancet_class_lists;
